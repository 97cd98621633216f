package org.vhostuserrng.cli.checksource;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
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

    @ParameterizedTest
    @ValueSource(strings = {"bogus", "file:/nonexistent", "--bytes=5", "--min-entropy=9", "--seconds=0"})
    void invalidArgumentIsReportedInOneLineWithItsValue(String argument) {
        String value = argument.substring(argument.indexOf('=') + 1);

        assertEquals(2, argument.startsWith("--") ? run("getrandom", argument) : run(argument));
        assertEquals(1, err.toString().lines().count(), err::toString);
        assertTrue(err.toString().contains(value), err::toString);
    }
}
