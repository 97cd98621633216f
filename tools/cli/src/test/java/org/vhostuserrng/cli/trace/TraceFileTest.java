package org.vhostuserrng.cli.trace;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vhostuserrng.cli.trace.TraceRecord.PassedFd;

class TraceFileTest {
    private static final int PREAMBLE = 12;
    private static final TraceRecord OPENED =
            new TraceRecord.SessionOpened(3, Instant.parse("2026-11-22T21:46:25.123Z"), "/tmp/a", "/tmp/ü");
    private static final TraceRecord MESSAGE = new TraceRecord.MessageSent(
            123_456_789_012L,
            TraceSide.BACK_END,
            new byte[] {1, 0, -1},
            List.of(new PassedFd(0, "eventfd 7"), new PassedFd(12, "memfd")));
    private static final TraceRecord CLOSED = new TraceRecord.SessionClosed(5, "the front-end closed");

    @TempDir
    private Path directory;

    private byte[] record(TraceRecord... records) throws IOException {
        Path file = directory.resolve("record");
        try (TraceFileWriter writer = new TraceFileWriter(file)) {
            for (TraceRecord each : records) {
                writer.accept(each);
            }
        }
        return Files.readAllBytes(file);
    }

    private static List<TraceRecord> replay(byte[] record) throws IOException {
        List<TraceRecord> records = new ArrayList<>();
        new TraceFileReader(new ByteArrayInputStream(record)).replay(records::add);
        return records;
    }

    private static String rejection(byte[] record) {
        return assertThrows(InvalidTraceFileException.class, () -> replay(record))
                .getMessage();
    }

    @Test
    void controlCharactersInTextsAreReplaced() {
        String hostile = "memfd:\u001b]0;x\u0007\r\n\u0085\u2028";

        assertEquals("memfd:?]0;x?????", new PassedFd(0, hostile).description());
        assertEquals("memfd:?]0;x?????", new TraceRecord.SessionClosed(0, hostile).reason());
        assertEquals("memfd:?]0;x?????", new TraceRecord.SessionOpened(1, Instant.EPOCH, hostile, "").listen());
        assertEquals("memfd:?]0;x?????", new TraceRecord.SessionOpened(1, Instant.EPOCH, "", hostile).connect());
    }

    @Test
    void sessionRecordsAreReadBack() throws Exception {
        assertEquals(List.of(OPENED, CLOSED), replay(record(OPENED, CLOSED)));
    }

    @Test
    void messageRecordIsReadBack() throws Exception {
        TraceRecord.MessageSent written = (TraceRecord.MessageSent) MESSAGE;

        TraceRecord.MessageSent read =
                (TraceRecord.MessageSent) replay(record(MESSAGE)).getFirst();

        assertEquals(written.nanos(), read.nanos());
        assertEquals(written.from(), read.from());
        assertArrayEquals(written.bytes(), read.bytes());
        assertEquals(written.fds(), read.fds());
    }

    @Test
    void fileStartsWithMagicAndVersion() throws Exception {
        byte[] record = record();

        assertEquals("vu-trace", new String(record, 0, 8, StandardCharsets.US_ASCII));
        assertArrayEquals(new byte[] {1, 0, 0, 0}, Arrays.copyOfRange(record, 8, PREAMBLE));
    }

    @Test
    void emptyFileHasNoRecords() throws Exception {
        assertEquals(List.of(), replay(record()));
    }

    @Test
    void allRecordsBeforeATruncationAreRead() throws Exception {
        byte[] record = record(OPENED, MESSAGE);
        int second = record(OPENED).length;

        for (int length = PREAMBLE; length < record.length; length++) {
            List<TraceRecord> records = new ArrayList<>();
            TraceFileReader reader = new TraceFileReader(new ByteArrayInputStream(record, 0, length));
            if (length == PREAMBLE || length == second) {
                reader.replay(records::add);
            } else {
                assertThrows(InvalidTraceFileException.class, () -> reader.replay(records::add));
            }
            assertEquals(length < second ? List.of() : List.of(OPENED), records, "truncated at " + length);
        }
    }

    @Test
    void truncationIsReportedWithTheNumberOfRecords() throws Exception {
        byte[] record = record(OPENED, CLOSED);

        assertEquals("is truncated after 1 records", rejection(Arrays.copyOf(record, record.length - 1)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "vu-trace", "#!/bin/sh\necho something else"})
    void otherFileIsRejected(String content) {
        assertEquals("is not a trace file", rejection(content.getBytes(StandardCharsets.US_ASCII)));
    }

    @Test
    void otherVersionIsRejected() throws Exception {
        byte[] record = record();
        record[8] = 2;

        assertEquals("has format version 2, expected 1", rejection(record));
    }

    @Test
    void fileWithAnyCorruptByteIsReadOrRejected() throws Exception {
        byte[] record = record(OPENED, MESSAGE, CLOSED);

        for (int i = PREAMBLE; i < record.length; i++) {
            byte[] corrupt = record.clone();
            corrupt[i] = (byte) ~corrupt[i];
            assertTrue(isReadOrRejected(corrupt), "corrupt at " + i);
        }
    }

    private static boolean isReadOrRejected(byte[] record) throws IOException {
        try {
            return replay(record).size() <= 3;
        } catch (InvalidTraceFileException rejected) {
            return true;
        }
    }
}
