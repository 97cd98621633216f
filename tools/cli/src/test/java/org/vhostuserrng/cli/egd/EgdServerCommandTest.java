package org.vhostuserrng.cli.egd;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

/** Tests the error messages for invalid command lines. */
class EgdServerCommandTest {
    private final StringWriter err = new StringWriter();

    @TempDir
    private Path directory;

    private int run(String... arguments) {
        return new CommandLine(new EgdServerCommand())
                .setErr(new PrintWriter(err, true))
                .setParameterExceptionHandler((badUsage, given) -> report(badUsage, 2))
                .setExecutionExceptionHandler((failure, command, parsed) -> report(failure, 1))
                .execute(arguments);
    }

    private int report(Exception failure, int status) {
        err.append(failure.getMessage()).append('\n');
        return status;
    }

    @ParameterizedTest
    @CsvSource({
        "--listen, tcp:127.0.0.1",
        "--listen, pipe:x",
        "--source, bogus",
        "--source, file:/nonexistent",
        "--source, command:",
        "--source, command:/nonexistent/program -x",
        "--source, command:no-such-program",
        "--max-clients, 0",
        "--max-clients, 4097",
        "--max-bytes, 0",
        "--period, 65537"
    })
    void invalidValueIsReportedInOneLineWithOptionAndValue(String option, String value) {
        String listen = option.equals("--listen") ? "" : "--listen=unix:" + directory.resolve("s");
        String invalid = option + "=" + value;

        int status = listen.isEmpty() ? run(invalid) : run(listen, invalid);

        assertEquals(2, status, err::toString);
        assertEquals(1, err.toString().lines().count(), err::toString);
        assertTrue(err.toString().contains(option), err::toString);
        assertTrue(err.toString().contains(value), err::toString);
    }

    @Test
    void unusableListenAddressIsReportedInOneLineWithStatus1() {
        assertEquals(1, run("--listen=unix:/nonexistent/s"));

        assertEquals(1, err.toString().lines().count(), err::toString);
        assertTrue(err.toString().contains("unix:/nonexistent/s"), err::toString);
    }
}
