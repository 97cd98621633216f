package org.vhostuserrng.daemon;

import org.vhostuserrng.backends.Quota;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Whole numbers with bounds, as options take them; what is refused is refused with the bounds. */
abstract class Bounded<T extends Number> implements ITypeConverter<T> {
    private final long least;
    private final long most;

    Bounded(long least, long most) {
        this.least = least;
        this.most = most;
    }

    final long read(String value) {
        try {
            long number = Long.parseLong(value);
            if (number >= least && number <= most) {
                return number;
            }
        } catch (NumberFormatException notANumber) {
            throw refused(value);
        }
        throw refused(value);
    }

    private TypeConversionException refused(String value) {
        return new TypeConversionException("'" + value + "', expected a whole number from " + least + " to " + most);
    }

    /** {@code --max-bytes}. */
    static final class MaxBytes extends Bounded<Long> {
        MaxBytes() {
            super(1, Quota.UNLIMITED);
        }

        @Override
        public Long convert(String value) {
            return read(value);
        }
    }

    /** {@code --period}. */
    static final class Period extends Bounded<Integer> {
        Period() {
            super(1, Quota.LONGEST_PERIOD_MILLIS);
        }

        @Override
        public Integer convert(String value) {
            return (int) read(value);
        }
    }

    /** {@code --socket-count}. */
    static final class SocketCount extends Bounded<Integer> {
        SocketCount() {
            super(1, DaemonCommand.MOST_SOCKETS);
        }

        @Override
        public Integer convert(String value) {
            return (int) read(value);
        }
    }

    /** {@code --fd}; 0 to 2 are the standard streams. */
    static final class Descriptor extends Bounded<Integer> {
        Descriptor() {
            super(3, Integer.MAX_VALUE);
        }

        @Override
        public Integer convert(String value) {
            return (int) read(value);
        }
    }
}
