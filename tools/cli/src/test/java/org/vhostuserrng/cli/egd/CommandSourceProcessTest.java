package org.vhostuserrng.cli.egd;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class CommandSourceProcessTest {
    private static Path fifo(CommandSourceProcess output) {
        return Path.of(output.spec().toString().substring("file:".length()));
    }

    @Test
    void commandIsSplitAtSpaces() {
        assertEquals(
                List.of("cat", "-u", "/dev/zero"), CommandSourceProcess.parseCommand("command:  cat -u   /dev/zero "));
    }

    @Test
    void missingProgramIsRejected() {
        IllegalArgumentException rejected = assertThrows(
                IllegalArgumentException.class, () -> CommandSourceProcess.parseCommand("command:no-such-program"));

        assertTrue(rejected.getMessage().contains("command:PROGRAM"), rejected::getMessage);
    }

    @Test
    void outputIsReadableFromTheFifo() throws Exception {
        try (CommandSourceProcess output = CommandSourceProcess.start(List.of("printf", "hello"));
                InputStream read = Files.newInputStream(fifo(output))) {
            assertEquals("hello", new String(read.readNBytes(5), US_ASCII));
        }
    }

    @Test
    void exitedProgramIsRestarted() throws Exception {
        try (CommandSourceProcess output = CommandSourceProcess.start(List.of("printf", "hello"));
                InputStream read = Files.newInputStream(fifo(output))) {
            assertEquals("hellohello", new String(read.readNBytes(10), US_ASCII));
        }
    }

    @Test
    void closeTerminatesTheProgramAndRemovesTheFifo() throws Exception {
        CommandSourceProcess output = CommandSourceProcess.start(List.of("sleep", "12345.678"));
        Path fifo = fifo(output);
        InputStream read = Files.newInputStream(fifo);
        while (ProcessHandle.current().children().noneMatch(CommandSourceProcessTest::isTheSleeper)) {
            TimeUnit.MILLISECONDS.sleep(1);
        }

        output.close();
        read.close();

        assertTrue(Files.notExists(fifo.getParent()));
        while (ProcessHandle.current().children().anyMatch(CommandSourceProcessTest::isTheSleeper)) {
            TimeUnit.MILLISECONDS.sleep(1);
        }
    }

    private static boolean isTheSleeper(ProcessHandle process) {
        return process.info().commandLine().orElse("").contains("12345.678");
    }
}
