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
 * {@code trace --replay} of an arbitrary file: prints the valid records at its beginning, and no control characters of
 * the file reach the terminal.
 *
 * <p>Input: a byte whose lowest bit enables {@code --summary}, and the file.
 */
public final class TraceReplayFuzzTarget {
    private TraceReplayFuzzTarget() {}

    /** Called by Jazzer. */
    public static void fuzzerTestOneInput(byte[] bytes) throws IOException {
        FuzzInputReader input = new FuzzInputReader(bytes);
        StringWriter printed = new StringWriter();
        TracePrinter printer = new TracePrinter(new PrintWriter(printed), Ansi.OFF, input.flag());
        try {
            new TraceFileReader(new ByteArrayInputStream(input.rest())).replay(printer);
        } catch (InvalidTraceFileException damaged) {
            requireOneLine(damaged.getMessage());
        }
        printer.flushOpenSession();
        printed.toString().lines().filter(line -> !line.isBlank()).forEach(line -> requireOneLine(line));
        require(printed.toString().indexOf('\r') < 0, "printed a carriage return");
    }
}
