package org.vhostuserrng.daemon;

/**
 * The value of an option.
 *
 * @param name the option as error messages name it: {@code --period}, or {@code FILE:LINE: period}
 */
record OptionValue(String name, String text) {
    /** Returns the option and its value, for messages. */
    @Override
    public String toString() {
        return name + "='" + text + "'";
    }

    /** Returns an exception that names this option, its value and what was expected. */
    BadUsageException refused(String expected) {
        return new BadUsageException(this + ": " + expected);
    }

    BadUsageException refused(String expected, Exception cause) {
        return new BadUsageException(this + ": " + expected, cause);
    }

    /** Parses the value as a number within a range. */
    long number(DaemonOptionRange range) throws BadUsageException {
        return range.parse(name, text);
    }
}
