package org.vhostuserrng.cli.options;

import picocli.CommandLine.ITypeConverter;

/** Parses an option value that must be a {@code long} in a range; the error message states the range. */
public abstract class LongRangeConverter implements ITypeConverter<Long> {
    private final OptionValueRange range;

    protected LongRangeConverter(long min, long max) {
        range = new OptionValueRange(min, max);
    }

    @Override
    public Long convert(String value) {
        return range.parse(value);
    }
}
