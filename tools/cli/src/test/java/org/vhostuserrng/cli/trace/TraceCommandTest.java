package org.vhostuserrng.cli.trace;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vhostuserrng.frontend.VfioUserClient;
import picocli.CommandLine;

class TraceCommandTest {
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @TempDir
    private Path directory;

    private int run(String... arguments) {
        return new CommandLine(new TraceCommand())
                .setOut(new PrintWriter(out))
                .setErr(new PrintWriter(err, true))
                .setParameterExceptionHandler((badUsage, given) -> report(badUsage, 2))
                .setExecutionExceptionHandler((failure, command, parsed) -> report(failure, 1))
                .execute(arguments);
    }

    private int report(Exception failure, int status) {
        err.append(failure.getMessage()).append('\n');
        return status;
    }

    private void assertOneLineWith(String... parts) {
        assertEquals(1, err.toString().lines().count(), err::toString);
        for (String part : parts) {
            assertTrue(err.toString().contains(part), err::toString);
        }
    }

    private Path record(TraceRecord... records) throws IOException {
        Path file = directory.resolve("record");
        try (TraceFileWriter writer = new TraceFileWriter(file)) {
            for (TraceRecord each : records) {
                writer.accept(each);
            }
        }
        return file;
    }

    @Test
    void missingListenOptionIsReported() {
        assertEquals(2, run("--connect=/tmp/b"));
        assertOneLineWith("--listen=PATH");
    }

    @Test
    void missingConnectOptionIsReported() {
        assertEquals(2, run("--listen=/tmp/a"));
        assertOneLineWith("--connect=PATH");
    }

    @Test
    void longSocketPathIsRejectedWithTheMaximum() {
        String path = "/tmp/" + "x".repeat(103);

        assertEquals(2, run("--listen=" + path, "--connect=/tmp/b"));
        assertOneLineWith("--listen=" + path, "1 to 107 bytes");
    }

    @Test
    void replayCannotBeCombinedWithListen() {
        assertEquals(2, run("--replay=record", "--listen=/tmp/a"));
        assertOneLineWith("--replay=record", "cannot be combined");
    }

    @Test
    void unreadableFileIsReported() {
        assertEquals(2, run("--replay=/nonexistent"));
        assertOneLineWith("--replay=/nonexistent");
    }

    @Test
    void unwritableFileIsReported() {
        String listen = "--listen=" + directory.resolve("a");

        assertEquals(2, run(listen, "--connect=/tmp/b", "--record=/nonexistent/record"));
        assertOneLineWith("--record=/nonexistent/record");
    }

    @Test
    void unusableListenPathIsReportedInOneLine() {
        assertEquals(1, run("--listen=/nonexistent/a", "--connect=/tmp/b"));
        assertOneLineWith("/nonexistent/a");
    }

    @Test
    void replayPrintsTheFile() throws Exception {
        Path record = record(new TraceRecord.SessionClosed(1_000_000, "the front-end closed"));

        assertEquals(0, run("--replay=" + record), err::toString);
        assertTrue(out.toString().contains("1.000 ms  the front-end closed"), out::toString);
    }

    @Test
    void truncatedFileIsPrintedUpToItsLastCompleteRecord() throws Exception {
        TraceRecord closed = new TraceRecord.SessionClosed(1_000_000, "the front-end closed");
        Path record = record(closed, closed);
        byte[] bytes = Files.readAllBytes(record);
        Files.write(record, Arrays.copyOf(bytes, bytes.length - 1));

        assertEquals(1, run("--replay=" + record));
        assertOneLineWith(record.toString(), "truncated after 1 records");
        assertTrue(out.toString().contains("the front-end closed"), out::toString);
    }

    @Test
    void unknownProtocolIsRejectedWithTheKnownOnes() {
        assertEquals(2, run("--listen=/tmp/a", "--connect=/tmp/b", "--protocol=vdpa"));
        assertOneLineWith("--protocol", "expected auto, vhost-user or vfio-user");
    }

    private Path recordOfBytes(byte... bytes) throws IOException {
        return record(new TraceRecord.MessageSent(0, TraceSide.FRONT_END, bytes, List.of()));
    }

    @Test
    void protocolOfARecordedSessionIsDetected() throws Exception {
        Path record = recordOfBytes(VfioUserClient.message(0, VfioUserClient.VERSION, 0, new byte[4]));

        assertEquals(0, run("--replay=" + record), err::toString);
        assertTrue(out.toString().contains("client ->  VERSION  id 0 command  0.0"), out::toString);
    }

    @Test
    void givenProtocolIsNotDetected() throws Exception {
        Path record = recordOfBytes(VfioUserClient.message(0, VfioUserClient.DEVICE_RESET, 0, new byte[0]));

        assertEquals(0, run("--replay=" + record, "--protocol=vfio-user"), err::toString);
        assertTrue(out.toString().contains("client ->  DEVICE_RESET"), out::toString);
    }
}
