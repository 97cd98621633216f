package org.vhostuserrng.cli.options;

import picocli.CommandLine.ITypeConverter;

/** Parses an option value that must be an {@code int} in a range; the error message states the range. */
public abstract class IntegerRangeConverter implements ITypeConverter<Integer> {
    private final OptionValueRange range;

    protected IntegerRangeConverter(int min, int max) {
        range = new OptionValueRange(min, max);
    }

    @Override
    public Integer convert(String value) {
        return (int) range.parse(value);
    }
}
