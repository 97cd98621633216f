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
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Known answers, from every {@code .rsp} file under the test resource {@code drbgvectors} and, if the system property
 * {@code drbgvectors} names a directory, from those under it: NIST's drbgtestvectors.zip as it is unpacked.
 */
class CtrDrbgKnownAnswerTest {
    private static final String DIRECTORY = "drbgvectors";

    static Stream<Arguments> vectorsOfEachAes() throws URISyntaxException, IOException {
        List<CavpResponseFile.Vector> vectors = vectors().toList();
        return Aes256Test.providers().flatMap(aes -> vectors.stream().map(vector -> Arguments.of(aes, vector)));
    }

    private static Stream<CavpResponseFile.Vector> vectors() throws URISyntaxException, IOException {
        Path ours = Path.of(CtrDrbgKnownAnswerTest.class.getResource(DIRECTORY).toURI());
        String others = System.getProperty(DIRECTORY);
        return Stream.concat(under(ours), others == null ? Stream.of() : under(Path.of(others)));
    }

    private static Stream<CavpResponseFile.Vector> under(Path directory) throws IOException {
        List<Path> files;
        try (Stream<Path> found = Files.walk(directory)) {
            // HMAC_DRBG.rsp and Hash_DRBG.rsp lie beside the ones meant.
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
    @MethodSource("vectorsOfEachAes")
    void returnsTheKnownBits(AesProvider aes, CavpResponseFile.Vector vector) {
        Trial trial = new Trial(aes, vector);

        vector.fields().forEach(trial::take);

        assertEquals(1, trial.compared);
    }

    /** DRBGVS §6: instantiates, perhaps reseeds, generates twice, and compares what the second time gave. */
    private static final class Trial {
        private final Arena arena = Arena.ofAuto();
        private final CtrDrbg drbg;
        private final boolean predictionResistance;
        private final MemorySegment returned;
        private byte[] entropy;
        private byte[] nonce;
        private byte[] additional;
        private int compared;

        private Trial(AesProvider aes, CavpResponseFile.Vector vector) {
            drbg = new CtrDrbg(aes, new BlockCipherDf(aes, arena), arena);
            predictionResistance = vector.predictionResistance();
            returned = arena.allocate(vector.returnedBytes());
        }

        private int length() {
            return (int) returned.byteSize();
        }

        private void take(CavpResponseFile.Field field) {
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
                    // §9.3.1, step 7: the additional input goes into the reseeding.
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
