package org.vhostuserrng.backends.health;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.MemorySegment;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Tests that the description of a failure contains the test, its cutoff and the declared min-entropy. */
class NoiseHealthFailureTest {
    private final NoiseHealthTester tests = new NoiseHealthTester(8);

    private static byte[] random(long seed, int length) {
        byte[] bytes = new byte[length];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    private String check(byte[] bytes) {
        return tests.check(MemorySegment.ofArray(bytes), 0, bytes.length);
    }

    @Test
    void repetitionCountTestDuringStartup() {
        assertEquals(
                "start-up repetition count test failed: a byte occurred 6 times in a row"
                        + " (min-entropy=8.0, alpha=2^-40)",
                check(new byte[6]));
    }

    @Test
    void adaptiveProportionTest() {
        check(random(1, NoiseHealthTester.STARTUP_SAMPLES));
        byte[] everyOther = random(2, AdaptiveProportionTester.WINDOW);
        for (int i = 0; i < everyOther.length; i += 2) {
            everyOther[i] = 7;
        }

        assertEquals(
                "adaptive proportion test failed: a byte occurred 19 times in a window of 512"
                        + " (min-entropy=8.0, alpha=2^-40)",
                check(everyOther));
    }

    @Test
    void repeatedSequenceTest() {
        check(random(1, 4096));

        assertEquals(
                "repeated sequence test failed: 32 bytes were repeated (min-entropy=8.0, alpha=2^-40)",
                check(random(1, 4096)));
    }

    @Test
    void declaredMinEntropyIsKept() {
        assertEquals(0.5, new NoiseHealthTester(0.5).minEntropy());
    }
}
