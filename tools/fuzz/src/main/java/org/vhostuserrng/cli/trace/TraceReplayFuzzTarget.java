package org.vhostuserrng.cli.trace;

import static org.vhostuserrng.fuzz.FuzzAssertions.require;
import static org.vhostuserrng.fuzz.FuzzAssertions.requireOneLine;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import org.vhostuserrng.fuzz.FuzzInputReader;
import picocli.CommandLine.Help.Ansi;

/**
 * Any file for {@code trace --replay}: printed as far as it is a record, and what the file holds does nothing to the
 * terminal.
 *
 * <p>As bytes: an u8 whose lowest bit asks for the summary too, and the file.
 */
public final class TraceReplayFuzzTarget {
    private TraceReplayFuzzTarget() {}

    /** Called by Jazzer. */
    public static void fuzzerTestOneInput(byte[] bytes) throws IOException {
        FuzzInputReader input = new FuzzInputReader(bytes);
        StringWriter shown = new StringWriter();
        TracePrinter transcript = new TracePrinter(new PrintWriter(shown), Ansi.OFF, input.flag());
        try {
            new TraceFileReader(new ByteArrayInputStream(input.rest())).replay(transcript);
        } catch (InvalidTraceFileException damaged) {
            requireOneLine(damaged.getMessage());
        }
        transcript.flushOpenSession();
        shown.toString().lines().filter(line -> !line.isBlank()).forEach(line -> requireOneLine(line));
        require(shown.toString().indexOf('\r') < 0, "a carriage return is shown");
    }
}
