package org.vhostuserrng.backends.expression;

import static org.vhostuserrng.fuzz.FuzzAssertions.requireOneLine;

import java.nio.charset.StandardCharsets;

/** Anything as the value of {@code --source}: a source that has a name, or refused in one line. */
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
