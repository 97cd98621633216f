package org.vhostuserrng.backends.expression;

import static org.vhostuserrng.fuzz.FuzzAssertions.requireOneLine;

import java.nio.charset.StandardCharsets;

/** Parses arbitrary text as a {@code --source} expression. The name of the source or the error must be one line. */
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
