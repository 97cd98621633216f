package org.vhostuserrng.cli.benchsuite;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Measurements that belong together; the names are those of {@code --cases}. */
enum BenchSuiteCase {
    SINGLE,
    GUESTS,
    STARTUP,
    MEMORY,
    QEMU;

    /**
     * Measures them.
     *
     * @param guestCommand boots a guest under QEMU; empty if that is not known
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

    /** A value of {@code --cases}. */
    static final class BenchSuiteCaseConverter implements ITypeConverter<BenchSuiteCase> {
        @Override
        public BenchSuiteCase convert(String value) {
            return Arrays.stream(values())
                    .filter(group -> group.option().equals(value))
                    .findFirst()
                    .orElseThrow(() -> new TypeConversionException("'" + value + "' is not one of "
                            + Arrays.stream(values())
                                    .map(BenchSuiteCase::option)
                                    .collect(Collectors.joining(", "))));
        }
    }
}
