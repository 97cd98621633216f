package org.vhostuserrng.cli.checksource.validation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Random;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class IidTestsTest {
    private static final int SAMPLES = 20_000;

    private final Random random = new Random(5);
    private final byte[] samples = new byte[SAMPLES];

    private interface Source {
        int next(int index);
    }

    /** Runs all tests of IID samples; returns the names of those that failed. */
    private List<String> failed(int count, Source source) throws InterruptedException {
        byte[] of = new byte[count];
        for (int i = 0; i < count; i++) {
            samples[i] = (byte) source.next(i);
            of[i] = samples[i];
        }
        return IidTests.of(of, new SplittableRandom(1), () -> {}).stream()
                .filter(test -> !test.passed())
                .map(TestResult::name)
                .toList();
    }

    private static void assertContains(List<String> names, String part) {
        assertTrue(names.stream().anyMatch(name -> name.contains(part)), names::toString);
    }

    @Test
    void uniformSamplesPass() throws Exception {
        assertEquals(List.of(), failed(SAMPLES, _ -> random.nextInt(16)));
    }

    @Test
    void biasedButIndependentSamplesPass() throws Exception {
        assertEquals(List.of(), failed(SAMPLES, _ -> {
            int mask = random.nextInt(16);
            return mask & random.nextInt(16);
        }));
    }

    @Test
    void biasedButIndependentBitsPass() throws Exception {
        assertEquals(List.of(), failed(SAMPLES, _ -> random.nextInt(3) == 0 ? 1 : 0));
    }

    @Test
    void dependentSamplesFail() throws Exception {
        List<String> failed = failed(2000, i -> i == 0 ? 0 : (samples[i - 1] + random.nextInt(2)) & 0xf);

        assertContains(failed, "5.2.1 independence");
        assertContains(failed, "5.1.10 covariance 1");
    }

    @Test
    void dependentBitsFail() throws Exception {
        List<String> failed = failed(2000, i -> i > 0 && random.nextInt(8) > 0 ? samples[i - 1] : random.nextInt(2));

        assertContains(failed, "5.2.3 independence");
        assertContains(failed, "5.1.5 number of runs");
    }

    @Test
    void distributionThatChangesFails() throws Exception {
        List<String> failed = failed(2000, i -> random.nextInt(8) + (i < 1000 ? 0 : 4));

        assertContains(failed, "5.2.2 goodness of fit");
        assertContains(failed, "5.1.1 excursion");
    }

    @Test
    void repeatedSequenceFails() throws Exception {
        List<String> failed = failed(2000, i -> i < 1000 ? random.nextInt(256) : samples[i - 1000]);

        assertContains(failed, "5.2.5 longest repeated substring");
    }

    @Test
    void constantFails() throws Exception {
        assertEquals(1, failed(2000, _ -> 7).size());
    }
}
