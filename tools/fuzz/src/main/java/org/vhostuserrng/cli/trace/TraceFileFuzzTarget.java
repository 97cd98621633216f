package org.vhostuserrng.cli.trace;

import static org.vhostuserrng.fuzz.FuzzAssertions.require;
import static org.vhostuserrng.fuzz.FuzzAssertions.requireOneLine;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.Optional;
import org.vhostuserrng.fuzz.FuzzInputReader;
import picocli.CommandLine.Help.Ansi;

/**
 * Runs {@code trace --replay} on an arbitrary file. It must print the valid records at the beginning of the file. No
 * control character of the file may reach the terminal.
 *
 * <p>Input: a byte whose lowest bit enables {@code --summary}, then the file.
 */
public final class TraceFileFuzzTarget {
    private TraceFileFuzzTarget() {}

    /** Called by Jazzer. */
    public static void fuzzerTestOneInput(byte[] bytes) throws IOException {
        FuzzInputReader input = new FuzzInputReader(bytes);
        StringWriter printed = new StringWriter();
        TracePrinter printer = new TracePrinter(new PrintWriter(printed), Ansi.OFF, input.flag(), Optional.empty());
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
