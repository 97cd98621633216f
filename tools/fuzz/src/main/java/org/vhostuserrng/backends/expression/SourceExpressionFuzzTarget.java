package org.vhostuserrng.backends.expression;

import static org.vhostuserrng.fuzz.FuzzAssertions.requireOneLine;

import java.nio.charset.StandardCharsets;

/** Any text as the value of {@code --source}: the source has a one-line name, or the error is one line. */
public final class SourceExpressionFuzzTarget {
    private SourceExpressionFuzzTarget() {}

    /** Called by Jazzer. */
    public static void fuzzerTestOneInput(byte[] input) {
        try {
            requireOneLine(SourceExpressionParser.parse(new String(input, StandardCharsets.UTF_8))
                    .toString());
        } catch (IllegalArgumentException refused) {
            requireOneLine(refused.getMessage());
        }
    }
}
