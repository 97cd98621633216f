package org.vhostuserrng.cli.options;

import picocli.CommandLine.ITypeConverter;

/** An option's value that must be an integer in a range; the message names the range. */
public abstract class IntegerInRange implements ITypeConverter<Integer> {
    private final Range range;

    protected IntegerInRange(int smallest, int largest) {
        range = new Range(smallest, largest);
    }

    @Override
    public Integer convert(String value) {
        return (int) range.read(value);
    }
}
