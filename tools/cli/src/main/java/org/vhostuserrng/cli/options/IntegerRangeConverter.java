package org.vhostuserrng.cli.options;

import picocli.CommandLine.ITypeConverter;

/** An option's value that must be an integer in a range; the message names the range. */
public abstract class IntegerRangeConverter implements ITypeConverter<Integer> {
    private final OptionValueRange range;

    protected IntegerRangeConverter(int smallest, int largest) {
        range = new OptionValueRange(smallest, largest);
    }

    @Override
    public Integer convert(String value) {
        return (int) range.parse(value);
    }
}
