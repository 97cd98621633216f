package org.vhostuserrng.cli;

import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** An option's value that must be an integer in a range; the message names the range. */
abstract class IntegerInRange implements ITypeConverter<Integer> {
    private final int smallest;
    private final int largest;

    IntegerInRange(int smallest, int largest) {
        this.smallest = smallest;
        this.largest = largest;
    }

    @Override
    public Integer convert(String value) {
        try {
            int number = Integer.parseInt(value);
            if (number >= smallest && number <= largest) {
                return number;
            }
        } catch (NumberFormatException notANumber) {
            throw outOfRange(value);
        }
        throw outOfRange(value);
    }

    private TypeConversionException outOfRange(String value) {
        return new TypeConversionException("'" + value + "' is not in " + smallest + ".." + largest);
    }
}
