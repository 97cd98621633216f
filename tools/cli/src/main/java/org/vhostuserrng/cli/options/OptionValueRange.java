package org.vhostuserrng.cli.options;

import picocli.CommandLine.TypeConversionException;

/** Whole numbers that an option takes; what is refused is refused with them. */
record OptionValueRange(long smallest, long largest) {
    long read(String value) {
        try {
            long number = Long.parseLong(value);
            if (number >= smallest && number <= largest) {
                return number;
            }
        } catch (NumberFormatException notANumber) {
            throw refused(value);
        }
        throw refused(value);
    }

    private TypeConversionException refused(String value) {
        return new TypeConversionException("'" + value + "' is not in " + smallest + ".." + largest);
    }
}
