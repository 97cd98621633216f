package org.vhostuserrng.cli.options;

import picocli.CommandLine.ITypeConverter;

/** As {@link IntegerInRange}, for larger numbers. */
public abstract class LongInRange implements ITypeConverter<Long> {
    private final Range range;

    protected LongInRange(long smallest, long largest) {
        range = new Range(smallest, largest);
    }

    @Override
    public Long convert(String value) {
        return range.read(value);
    }
}
