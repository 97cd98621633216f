package org.vhostuserrng.daemon;

/**
 * The value of an option.
 *
 * @param name the option as messages name it: {@code --period}, or {@code FILE:LINE: period}
 */
record OptionValue(String name, String text) {
    /** The option and its value, for messages. */
    @Override
    public String toString() {
        return name + "='" + text + "'";
    }

    /** An error of this option. */
    BadUsageException refused(String expected) {
        return new BadUsageException(this + ": " + expected);
    }

    BadUsageException refused(String expected, Exception cause) {
        return new BadUsageException(this + ": " + expected, cause);
    }

    /** The value as a number. */
    long number(DaemonOptionRange range) throws BadUsageException {
        return range.parse(name, text);
    }
}
