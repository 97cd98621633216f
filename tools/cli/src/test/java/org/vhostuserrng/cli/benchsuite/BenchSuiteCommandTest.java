package org.vhostuserrng.cli.benchsuite;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

class BenchSuiteCommandTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "--rounds=0; 1..100",
                "--seconds=0; 0.01..60",
                "--seconds=soon; 0.01..60",
                "--guests=1,1001; 1..1000",
                "--cases=all; single, guests, startup, memory, qemu"
            })
    void invalidValueIsReportedWithTheAllowedValues(String argument, String allowed) {
        StringWriter err = new StringWriter();
        CommandLine command = new CommandLine(new BenchSuiteCommand()).setErr(new PrintWriter(err, true));

        int status = command.execute(argument);

        assertEquals(2, status);
        assertTrue(err.toString().contains(allowed), err::toString);
    }
}
