package org.vhostuserrng.cli.trace;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.vhostuserrng.cli.trace.TraceRecord.PassedFd;
import org.vhostuserrng.frontend.FrontendPayloadEncoder;
import picocli.CommandLine.Help.Ansi;

class TracePrinterTest {
    private static final TraceRecord OPENED =
            new TraceRecord.SessionOpened(1, Instant.parse("2026-11-22T21:46:25.123Z"), "/tmp/a", "/tmp/b");
    private static final TraceRecord REQUEST = new TraceRecord.MessageSent(
            1_000_000,
            TraceSide.FRONT_END,
            FrontendPayloadEncoder.message(1, 1, FrontendPayloadEncoder.none()),
            List.of());
    private static final TraceRecord REPLY = new TraceRecord.MessageSent(
            1_250_000,
            TraceSide.BACK_END,
            FrontendPayloadEncoder.message(1, 5, FrontendPayloadEncoder.u64(1L << 32)),
            List.of());
    private static final TraceRecord CALL = new TraceRecord.MessageSent(
            2_000_000,
            TraceSide.FRONT_END,
            FrontendPayloadEncoder.message(13, 1, FrontendPayloadEncoder.u64(0)),
            List.of(new PassedFd(0, "eventfd 7 count=0")));
    private static final TraceRecord CLOSED = new TraceRecord.SessionClosed(3_000_000, "the front-end closed");

    private static String print(Ansi ansi, boolean summary, TraceRecord... records) throws IOException {
        StringWriter text = new StringWriter();
        TracePrinter printer = new TracePrinter(new PrintWriter(text), ansi, summary, Optional.empty());
        for (TraceRecord each : records) {
            printer.accept(each);
        }
        printer.flushOpenSession();
        return text.toString();
    }

    @Test
    void everyMessageIsPrintedOnOneLine() throws Exception {
        assertEquals("""
                session 1  2026-11-22T21:46:25.123Z  /tmp/a -> /tmp/b
                       1.000 ms  front-end ->  GET_FEATURES  v1
                       1.250 ms  <- back-end   GET_FEATURES  v1+reply  features=0x100000000 {VERSION_1}  after 0.250 ms
                       2.000 ms  front-end ->  SET_VRING_CALL  v1  index=0 fd: eventfd 7 count=0
                       3.000 ms  the front-end closed

                """, print(Ansi.OFF, false, OPENED, REQUEST, REPLY, CALL, CLOSED));
    }

    @Test
    void summaryHasOneRowPerRequest() throws Exception {
        String printed = print(Ansi.OFF, true, OPENED, REQUEST, REPLY, CALL, CLOSED);

        assertEquals("""
                | # | from | message | carries | reply | ms |
                |--:|---|---|---|---|--:|
                | 1 | front-end -> | GET_FEATURES |  | features=0x100000000 {VERSION_1} | 0.250 |
                | 2 | front-end -> | SET_VRING_CALL | index=0 fd: eventfd 7 count=0 |  |  |
                """, printed.substring(printed.indexOf("| #")).stripTrailing() + "\n");
    }

    @Test
    void summaryHasNotesAndDetails() throws Exception {
        byte[] table = FrontendPayloadEncoder.message(5, 1, new byte[] {1, 0, 0, 0, 0, 0, 0, 0});
        TraceRecord wrong = new TraceRecord.MessageSent(0, TraceSide.FRONT_END, table, List.of());

        String printed = print(Ansi.OFF, true, OPENED, wrong, CLOSED);

        assertTrue(printed.contains("| payload of 8 bytes is invalid for this message<br>00000000 01"), printed);
    }

    @Test
    void sessionWithoutEndRecordHasASummary() throws Exception {
        assertTrue(print(Ansi.OFF, true, OPENED, REQUEST).contains("| 1 | front-end -> | GET_FEATURES |"));
    }

    @Test
    void requestsAreNumberedPerSession() throws Exception {
        String printed = print(Ansi.OFF, true, OPENED, REQUEST, CLOSED, OPENED, REQUEST, CLOSED);

        assertFalse(printed.contains("| 2 |"), printed);
    }

    @Test
    void requestWithoutReplyIsNoted() throws Exception {
        String printed = print(Ansi.OFF, false, OPENED, REQUEST, CLOSED);

        assertTrue(printed.contains("note: no reply: GET_FEATURES, sent at 1.000 ms"), printed);
    }

    @Test
    void controlCharactersOfPathsAndReasonsAreNotPrinted() throws Exception {
        TraceRecord opened = new TraceRecord.SessionOpened(1, Instant.EPOCH, "/tmp/\u001b[31m", "/tmp/\udc9b\u202e");
        TraceRecord call = new TraceRecord.MessageSent(
                0,
                TraceSide.FRONT_END,
                FrontendPayloadEncoder.message(13, 1, FrontendPayloadEncoder.u64(0)),
                List.of(new PassedFd(0, "\u001b]0;title\u0007")));

        String printed = print(Ansi.OFF, true, opened, call, new TraceRecord.SessionClosed(0, "\u0085\r"));

        assertTrue(printed.chars().noneMatch(each -> each != '\n' && Character.isISOControl(each)), printed);
        assertTrue(printed.contains("/tmp/?[31m -> /tmp/??"), printed);
    }

    @Test
    void failureOfStandardOutputIsReported() {
        TracePrinter printer = new TracePrinter(
                new PrintWriter(
                        new OutputStream() {
                            @Override
                            public void write(int single) throws IOException {
                                throw new IOException("No space left on device");
                            }
                        },
                        false,
                        StandardCharsets.UTF_8),
                Ansi.OFF,
                false,
                Optional.empty());

        assertEquals(
                "cannot write to stdout",
                assertThrows(IOException.class, () -> printer.accept(OPENED)).getMessage());
    }

    @Test
    void coloursAreUsedOnlyIfEnabled() throws Exception {
        assertFalse(print(Ansi.OFF, true, OPENED, REQUEST, CLOSED).contains("\u001b"));
        assertTrue(print(Ansi.ON, true, OPENED, REQUEST, CLOSED).contains("\u001b[36m"));
    }
}
