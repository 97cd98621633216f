package org.vhostuserrng.cli.options;

import picocli.CommandLine.TypeConversionException;

/**
 * The range of an option's value, both ends included. The daemon has a class of its own for this, because it must not
 * load picocli.
 */
record OptionValueRange(long min, long max) {
    long parse(String value) {
        try {
            long number = Long.parseLong(value);
            if (number >= min && number <= max) {
                return number;
            }
        } catch (NumberFormatException notANumber) {
            throw outOfRange(value);
        }
        throw outOfRange(value);
    }

    private TypeConversionException outOfRange(String value) {
        return new TypeConversionException("'" + value + "' is not in " + min + ".." + max);
    }
}
