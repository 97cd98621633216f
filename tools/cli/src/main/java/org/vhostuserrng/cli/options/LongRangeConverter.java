package org.vhostuserrng.cli.options;

import picocli.CommandLine.ITypeConverter;

/** As {@link IntegerRangeConverter}, for larger numbers. */
public abstract class LongRangeConverter implements ITypeConverter<Long> {
    private final OptionValueRange range;

    protected LongRangeConverter(long smallest, long largest) {
        range = new OptionValueRange(smallest, largest);
    }

    @Override
    public Long convert(String value) {
        return range.parse(value);
    }
}
