package org.vhostuserrng.cli.suite;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Measurements that belong together; the names are those of {@code --cases}. */
enum Group {
    SINGLE {
        @Override
        void run(Bench bench, List<String> guestCommand) throws IOException, InterruptedException {
            new SingleGuest(bench).run();
        }
    },
    GUESTS {
        @Override
        void run(Bench bench, List<String> guestCommand) throws IOException, InterruptedException {
            new ManyGuests(bench).run();
        }
    },
    STARTUP {
        @Override
        void run(Bench bench, List<String> guestCommand) throws IOException, InterruptedException {
            new StartUp(bench).run();
        }
    },
    MEMORY {
        @Override
        void run(Bench bench, List<String> guestCommand) throws IOException, InterruptedException {
            new Memory(bench).run();
        }
    },
    QEMU {
        @Override
        void run(Bench bench, List<String> guestCommand) throws IOException, InterruptedException {
            new GuestRate(bench, guestCommand).run();
        }
    };

    /**
     * Measures them.
     *
     * @param guestCommand boots a guest under QEMU; empty if that is not known
     */
    abstract void run(Bench bench, List<String> guestCommand) throws IOException, InterruptedException;

    private String option() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** A value of {@code --cases}. */
    static final class Converter implements ITypeConverter<Group> {
        @Override
        public Group convert(String value) {
            return Arrays.stream(values())
                    .filter(group -> group.option().equals(value))
                    .findFirst()
                    .orElseThrow(() -> new TypeConversionException("'" + value + "' is not one of "
                            + Arrays.stream(values()).map(Group::option).collect(Collectors.joining(", "))));
        }
    }
}
