package org.vhostuserrng.backends.expression;

import static org.junit.jupiter.api.Assertions.assertNotNull;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.vhostuserrng.fuzz.FuzzCorpus;

/** Writes the seed corpus of {@link SourceExpressionFuzzTarget}: expressions of every kind. */
class SourceExpressionSeedCorpusTest {
    private static final List<String> EXPRESSIONS = List.of(
            "getrandom",
            "file:/dev/hwrng,min-entropy=0.5",
            "file:/a,,b,health=off,on-eof=stop",
            "rdrand,reseed=forced",
            "rdseed,min-entropy=8",
            "egd:tcp:[::1]:1024",
            "egd:tcp:localhost:65535,health=on",
            "egd:unix:/run/egd",
            "qng",
            "qng:/usr/lib/libqwqngx.so",
            "drbg",
            "drbg(rdseed+getrandom),reseed-bytes=1024,reseed-seconds=1,prediction-resistance",
            "xor(drbg(file:/a+rdrand),egd:unix:/b)");

    @Test
    void writesExpressions() throws IOException {
        EXPRESSIONS.forEach(expression -> assertNotNull(SourceExpressionParser.parse(expression)));

        FuzzCorpus.write(
                SourceExpressionFuzzTarget.class,
                EXPRESSIONS.stream()
                        .map(expression -> expression.getBytes(StandardCharsets.UTF_8))
                        .toList());
    }
}
