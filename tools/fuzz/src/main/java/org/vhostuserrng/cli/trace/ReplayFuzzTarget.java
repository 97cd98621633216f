package org.vhostuserrng.cli.trace;

import static org.vhostuserrng.fuzz.Oracle.require;
import static org.vhostuserrng.fuzz.Oracle.requireOneLine;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import org.vhostuserrng.fuzz.FuzzInput;
import picocli.CommandLine.Help.Ansi;

/**
 * Any file for {@code trace --replay}: printed as far as it is a record, and what the file holds does nothing to the
 * terminal.
 *
 * <p>As bytes: an u8 whose lowest bit asks for the summary too, and the file.
 */
public final class ReplayFuzzTarget {
    private ReplayFuzzTarget() {}

    /** Called by Jazzer. */
    public static void fuzzerTestOneInput(byte[] bytes) throws IOException {
        FuzzInput input = new FuzzInput(bytes);
        StringWriter shown = new StringWriter();
        Transcript transcript = new Transcript(new PrintWriter(shown), Ansi.OFF, input.flag());
        try {
            new RecordReader(new ByteArrayInputStream(input.rest())).replay(transcript);
        } catch (DamagedRecordException damaged) {
            requireOneLine(damaged.getMessage());
        }
        transcript.finish();
        shown.toString().lines().filter(line -> !line.isBlank()).forEach(line -> requireOneLine(line));
        require(shown.toString().indexOf('\r') < 0, "a carriage return is shown");
    }
}
