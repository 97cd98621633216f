package org.vhostuserrng.backends.drbg;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vhostuserrng.backends.expression.SourceExpressionParser;
import org.vhostuserrng.backends.source.SharedSourceSpec;

/** Tests expressions that contain {@code drbg} and {@code xor}. */
class DrbgSourceSpecTest {
    private static DrbgSourceSpec drbg(String text) {
        return assertInstanceOf(DrbgSourceSpec.class, SourceExpressionParser.parse(text));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "drbg(getrandom)",
                "drbg(file:/dev/hwrng+getrandom),reseed-bytes=4096,prediction-resistance",
                "xor(drbg(getrandom),getrandom)",
                "xor(drbg(getrandom+rdrand),seed-from=any,getrandom)",
                "xor(drbg(getrandom),reseed-seconds=5,getrandom)",
                "xor(rdrand,reseed=forced,drbg(getrandom))",
                "drbg(rdrand,reseed=forced+getrandom)",
                "xor(xor(getrandom,file:/a),drbg(file:/b))"
            })
    void toStringReturnsTheExpression(String text) {
        assertEquals(text, SourceExpressionParser.parse(text).toString());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "drbg()",
                "drbg(",
                "drbg(getrandom",
                "drbg(getrandom))",
                "drbgs",
                "drbg,",
                "drbg,min-entropy=1",
                "drbg,reseed-bytes=0",
                "drbg,reseed-bytes=many",
                "drbg,reseed-bytes",
                "drbg,reseed-seconds=86401",
                "drbg,prediction-resistance=yes",
                "drbg,seed-from=some",
                "drbg,seed-from",
                "drbg(drbg)",
                "drbg(xor(getrandom,getrandom))",
                "drbg(getrandom+)",
                "xor(getrandom)",
                "xor(getrandom,getrandom,getrandom)",
                "xor(getrandom,)",
                "xor(getrandom,nothing)",
                "xor(getrandom,getrandom),min-entropy=1",
                "getrandom,prediction-resistance"
            })
    void refusesMalformedExpression(String text) {
        assertThrows(IllegalArgumentException.class, () -> SourceExpressionParser.parse(text));
    }

    @Test
    void defaultSeedsAreRdseedAndGetrandom() throws IOException {
        // /proc/cpuinfo does not list RDSEED if the kernel knows that the instruction is broken.
        boolean hasRdseed = Files.readString(Path.of("/proc/cpuinfo")).contains(" rdseed ");

        assertEquals(
                hasRdseed ? "drbg(rdseed+getrandom)" : "drbg(getrandom)",
                drbg("drbg").toString());
        assertEquals(DrbgReseedPolicy.DEFAULT, drbg("drbg").policy());
    }

    @Test
    void parsesReseedOptions() {
        DrbgReseedPolicy policy = drbg("drbg,reseed-bytes=4096,reseed-seconds=7,prediction-resistance,seed-from=any")
                .policy();

        assertEquals(new DrbgReseedPolicy(4096, 7, true, true), policy);
    }

    @ParameterizedTest
    @CsvSource({
        "getrandom, 8",
        "file:/dev/urandom, 8",
        "file:/dev/random, 8",
        "file:/dev/null, 1",
        "file:/etc/passwd, 0.25",
        "file:/nothing, 0.25",
        "'file:/dev/null,min-entropy=3', 3"
    })
    void seedHasStatedOrDefaultMinEntropy(String seed, double minEntropy) {
        SharedSourceSpec source = drbg("drbg(" + seed + ")").seeds().getFirst();

        assertEquals(minEntropy, source.minEntropy());
    }
}
