package org.vhostuserrng.cli.benchsuite;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** A group of measurements that {@code --cases} can select. */
enum BenchSuiteCase {
    SINGLE,
    GUESTS,
    STARTUP,
    MEMORY,
    QEMU;

    /**
     * Runs the measurements.
     *
     * @param guestCommand command that boots a guest under QEMU; empty if there is none
     */
    void run(BenchSuiteContext bench, List<String> guestCommand) throws IOException, InterruptedException {
        switch (this) {
            case SINGLE -> new SingleGuestBenchmark(bench).run();
            case GUESTS -> new ManyGuestsBenchmark(bench).run();
            case STARTUP -> new StartupTimeBenchmark(bench).run();
            case MEMORY -> new MemoryUsageBenchmark(bench).run();
            case QEMU -> new GuestHwrngBenchmark(bench, guestCommand).run();
        }
    }

    private String option() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** Parses a value of {@code --cases}. */
    static final class BenchSuiteCaseConverter implements ITypeConverter<BenchSuiteCase> {
        @Override
        public BenchSuiteCase convert(String value) {
            return Arrays.stream(values())
                    .filter(each -> each.option().equals(value))
                    .findFirst()
                    .orElseThrow(() -> new TypeConversionException("'" + value + "' is not one of "
                            + Arrays.stream(values())
                                    .map(BenchSuiteCase::option)
                                    .collect(Collectors.joining(", "))));
        }
    }
}
