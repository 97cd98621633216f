package org.vhostuserrng.cli.checksource;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

class CheckSourceCommandTest {
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @TempDir
    private Path directory;

    private int run(String... arguments) {
        return new CommandLine(new CheckSourceCommand())
                .setOut(new PrintWriter(out, true))
                .setErr(new PrintWriter(err, true))
                .setParameterExceptionHandler((badUsage, given) -> {
                    err.append(badUsage.getMessage()).append('\n');
                    return 2;
                })
                .execute(arguments);
    }

    private String file(byte[] content) throws Exception {
        return "file:" + Files.write(directory.resolve("bytes"), content);
    }

    private static byte[] random(int length) {
        byte[] bytes = new byte[length];
        new Random(1).nextBytes(bytes);
        return bytes;
    }

    @Test
    void goodSourceIsHealthy() {
        assertEquals(0, run("getrandom", "--bytes=100000"), out::toString);
        assertTrue(out.toString().contains("passed"), out::toString);
    }

    @Test
    void constantSourceIsUnhealthy() {
        assertEquals(1, run("file:/dev/zero", "--bytes=5000", "--json"));
        assertTrue(out.toString().contains("repetition count test"), out::toString);
    }

    @Test
    void repeatingSourceIsUnhealthy() throws Exception {
        byte[] twice = new byte[40_000];
        byte[] once = random(20_000);
        System.arraycopy(once, 0, twice, 0, once.length);
        System.arraycopy(once, 0, twice, once.length, once.length);

        assertEquals(1, run(file(twice)));
        assertTrue(out.toString().contains("repeated sequence test"), out::toString);
    }

    @Test
    void fileShorterThanTheRequestedBytesIsHealthy() throws Exception {
        assertEquals(0, run(file(random(3000))), out::toString);
        assertTrue(out.toString().contains(" 3000"), out::toString);
    }

    @Test
    void fileBelowTheMinimumIsUnhealthy() throws Exception {
        assertEquals(1, run(file(random(1000))));
        assertTrue(out.toString().contains("only 1000 bytes"), out::toString);
    }

    @Test
    void missingServerIsASourceFailure() {
        assertEquals(1, run("egd:unix:" + directory.resolve("none")));
        assertTrue(out.toString().contains("the source has failed"), out::toString);
    }

    @Test
    void statusFollowsTheEstimate() throws Exception {
        byte[] twice = random(40_000);
        for (int i = 1; i < twice.length; i += 2) {
            twice[i] = twice[i - 1];
        }
        String source = file(twice);

        assertEquals(1, run(source, "--min-entropy=4"), out::toString);
        assertTrue(out.toString().contains("is below --min-entropy=4.0"), out::toString);
        assertEquals(0, run(source, "--min-entropy=0.8"), out::toString);
    }

    @Test
    void pathNeedsNoPrefix() throws Exception {
        file(random(3000));

        assertEquals(0, run(directory.resolve("bytes").toString()), out::toString);
        assertTrue(out.toString().contains("file:" + directory.resolve("bytes")), out::toString);
    }

    @Test
    void standardInputIsReadToItsEnd() {
        InputStream original = System.in;
        System.setIn(new ByteArrayInputStream(random(100_000)));
        try {
            assertEquals(0, run("-"), out::toString);
        } finally {
            System.setIn(original);
        }
        assertTrue(out.toString().contains(" 100000"), out::toString);
    }

    @Test
    void widthIsThatOfTheHighestBit() throws Exception {
        byte[] nibbles = random(20_000);
        for (int i = 0; i < nibbles.length; i++) {
            nibbles[i] &= 0xf;
        }

        run(file(nibbles), "--json");

        assertTrue(out.toString().contains("\"bitsPerSample\":4"), out::toString);
    }

    @Test
    void samplesThatDoNotFitTheWidthAreAnError() throws Exception {
        assertEquals(2, run(file(random(3000)), "--bits=4"));
        assertEquals("--bits=4: there are samples of 8 bits\n", err.toString());
    }

    @Test
    void rawSamplesAreKept() throws Exception {
        byte[] samples = random(3000);
        Path kept = directory.resolve("kept");

        assertEquals(0, run(file(samples), "--output=" + kept), err::toString);

        assertArrayEquals(samples, Files.readAllBytes(kept));
        assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(kept)));
    }

    @Test
    void existingOutputIsKeptUnlessToldToOverwrite() throws Exception {
        Path kept = Files.writeString(directory.resolve("kept"), "precious");
        String source = file(random(3000));

        assertEquals(2, run(source, "--output=" + kept));
        assertEquals("precious", Files.readString(kept));
        assertTrue(err.toString().contains("--overwrite"), err::toString);
        assertEquals(0, run(source, "--output=" + kept, "--overwrite"), err::toString);
        assertEquals(3000, Files.size(kept));
    }

    @Test
    void outputThatCannotBeCreatedIsReportedInOneLine() throws Exception {
        String source = file(random(3000));

        assertEquals(2, run(source, "--output=" + directory.resolve("none/kept")));
        assertEquals(2, run(source, "--output=" + directory, "--overwrite"));
        assertEquals(
                List.of(
                        "--output=" + directory.resolve("none/kept") + ": its directory does not exist",
                        "--output=" + directory + ": it cannot be written: Is a directory"),
                err.toString().lines().toList());
    }

    @Test
    void sourceIsNotOverwritten() throws Exception {
        String source = file(random(3000));

        assertEquals(2, run(source, "--output=" + directory.resolve("bytes"), "--overwrite"));
        assertEquals(3000, Files.size(directory.resolve("bytes")));
    }

    @Test
    void fullDiskIsReportedWithTheBytesWritten() {
        IOException failure = assertThrows(IOException.class, () -> {
            try (RawSampleFile full = RawSampleFile.create(Path.of("/dev/full"), true, Path.of(""))) {
                full.write(ByteBuffer.allocate(10));
            }
        });

        assertTrue(
                failure.getMessage().contains("--output=/dev/full: only 0 bytes written: No space"),
                failure::getMessage);
    }

    @Test
    void iidTestsAreReported() throws Exception {
        run(file(random(3000)), "--iid");

        assertTrue(out.toString().contains("IID: §5.1.1 excursion"), out::toString);
        assertTrue(out.toString().contains("IID: §5.2.2 goodness of fit"), out::toString);
    }

    @Test
    void restartsWithTheSameSequenceAreUnhealthy() throws Exception {
        byte[] rows = new byte[1_000_000];
        byte[] row = random(1000);
        for (int i = 0; i < rows.length; i += row.length) {
            System.arraycopy(row, 0, rows, i, row.length);
        }
        Path matrix = Files.write(directory.resolve("rows"), rows);

        assertEquals(1, run(file(random(3000)), "--restart-file=" + matrix));
        assertTrue(out.toString().contains("restarts: §3.1.4.3 most common values failed"), out::toString);
    }

    @Test
    void fileCannotBeRestarted() throws Exception {
        assertEquals(2, run(file(random(3000)), "--restarts"));
        assertTrue(err.toString().contains("use --restart-file"), err::toString);
    }

    @Test
    void restartFileOfAnotherSizeIsRefused() throws Exception {
        assertEquals(2, run(file(random(3000)), "--restart-file=" + directory.resolve("bytes")));
        assertTrue(err.toString().contains("expected 1000000 bytes, but there are 3000"), err::toString);
    }

    @ParameterizedTest
    @ValueSource(strings = {"bogus", "file:/nonexistent", "--bytes=5", "--min-entropy=9", "--seconds=0", "--bits=9"})
    void invalidArgumentIsReportedInOneLineWithItsValue(String argument) {
        String value = argument.substring(argument.indexOf('=') + 1);

        assertEquals(2, argument.startsWith("--") ? run("getrandom", argument) : run(argument));
        assertEquals(1, err.toString().lines().count(), err::toString);
        assertTrue(err.toString().contains(value), err::toString);
    }
}
