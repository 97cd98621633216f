package org.vhostuserrng.backends.drbg;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Known-answer tests with each {@code CTR_DRBG.rsp} in the test resource {@code drbgvectors}. The system property
 * {@code drbgvectors} may specify another directory, such as the unpacked drbgtestvectors.zip of NIST.
 */
class CtrDrbgKnownAnswerTest {
    private static final String DIRECTORY = "drbgvectors";

    static Stream<CavpResponseFile.Vector> vectors() throws URISyntaxException, IOException {
        Path ours = Path.of(CtrDrbgKnownAnswerTest.class.getResource(DIRECTORY).toURI());
        String others = System.getProperty(DIRECTORY);
        return Stream.concat(under(ours), others == null ? Stream.of() : under(Path.of(others)));
    }

    private static Stream<CavpResponseFile.Vector> under(Path directory) throws IOException {
        List<Path> files;
        try (Stream<Path> found = Files.walk(directory)) {
            // The archive of NIST also contains HMAC_DRBG.rsp and Hash_DRBG.rsp.
            files = found.filter(file -> file.toString().endsWith("CTR_DRBG.rsp"))
                    .toList();
        }
        return files.stream().flatMap(CtrDrbgKnownAnswerTest::read);
    }

    private static Stream<CavpResponseFile.Vector> read(Path file) {
        try {
            return CavpResponseFile.read(file).stream();
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }

    @ParameterizedTest
    @MethodSource("vectors")
    void returnsKnownBits(CavpResponseFile.Vector vector) {
        Trial trial = new Trial(vector);

        vector.fields().forEach(trial::apply);

        assertEquals(1, trial.compared);
    }

    /**
     * Runs one vector (DRBGVS §6): instantiates, optionally reseeds, generates twice, and compares the second output.
     */
    private static final class Trial {
        private final Arena arena = Arena.ofAuto();
        private final CtrDrbg drbg;
        private final boolean predictionResistance;
        private final MemorySegment returned;
        private byte[] entropy;
        private byte[] nonce;
        private byte[] additional;
        private int compared;

        private Trial(CavpResponseFile.Vector vector) {
            byte[] scratch = new byte[Aes256.SCRATCH_BYTES];
            drbg = new CtrDrbg(new BlockCipherDf(scratch, arena), scratch, arena);
            predictionResistance = vector.predictionResistance();
            returned = arena.allocate(vector.returnedBytes());
        }

        private int length() {
            return (int) returned.byteSize();
        }

        private void apply(CavpResponseFile.Field field) {
            byte[] value = field.value();
            switch (field.name()) {
                case "EntropyInput", "EntropyInputReseed" -> entropy = value;
                case "Nonce" -> nonce = value;
                case "PersonalizationString" -> drbg.instantiate(entropy, nonce, value);
                case "AdditionalInputReseed" -> drbg.reseed(entropy, value);
                case "AdditionalInput" -> {
                    additional = value;
                    if (!predictionResistance) {
                        drbg.generate(returned, 0, length(), additional);
                    }
                }
                case "EntropyInputPR" -> {
                    // SP 800-90Ar1 §9.3.1 step 7: the reseed uses the additional input.
                    drbg.reseed(value, additional);
                    drbg.generate(returned, 0, length());
                }
                case "ReturnedBits" -> {
                    assertArrayEquals(value, returned.toArray(ValueLayout.JAVA_BYTE));
                    compared++;
                }
                default -> throw new IllegalArgumentException(field.name());
            }
        }
    }
}
