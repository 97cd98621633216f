package org.vhostuserrng.cli.trace;

import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import net.openhft.chronicle.bytes.Bytes;
import org.vhostuserrng.cli.trace.TraceRecord.PassedFd;

/** Reads files of {@link TraceFileWriter}. Of a truncated file, reads all complete frames. */
final class TraceFileReader {
    private static final int PREAMBLE = Long.BYTES + Integer.BYTES;

    private final DataInputStream file;
    private long frames;

    /**
     * Creates a reader and reads the beginning of the file.
     *
     * @throws IOException if the file is not a trace file, or is of another version
     */
    TraceFileReader(InputStream file) throws IOException {
        this.file = new DataInputStream(file);
        Bytes<byte[]> preamble = Bytes.wrapForRead(file.readNBytes(PREAMBLE));
        if (preamble.readRemaining() < PREAMBLE || preamble.readLong() != TraceFileFormat.MAGIC) {
            throw new InvalidTraceFileException("is not a trace file");
        }
        int version = preamble.readInt();
        if (version != TraceFileFormat.VERSION) {
            throw new InvalidTraceFileException("has format version " + Integer.toUnsignedString(version)
                    + ", expected " + TraceFileFormat.VERSION);
        }
    }

    /**
     * Passes all records to {@code sink}.
     *
     * @throws InvalidTraceFileException if the file contains an invalid or incomplete frame; all records before that
     *     frame have been passed
     */
    void replay(TraceRecordSink sink) throws IOException {
        byte[] lengthBytes = file.readNBytes(Integer.BYTES);
        while (lengthBytes.length > 0) {
            sink.accept(traceRecord(frame(lengthBytes)));
            frames++;
            lengthBytes = file.readNBytes(Integer.BYTES);
        }
    }

    private Bytes<byte[]> frame(byte[] lengthBytes) throws IOException {
        if (lengthBytes.length < Integer.BYTES) {
            throw invalid("is truncated");
        }
        long length = Bytes.wrapForRead(lengthBytes).readUnsignedInt();
        if (length > TraceFileFormat.MAX_FRAME_BYTES) {
            throw invalid("is corrupt");
        }
        byte[] body = new byte[(int) length];
        try {
            file.readFully(body);
        } catch (EOFException truncated) {
            throw invalid("is truncated");
        }
        return Bytes.wrapForRead(body);
    }

    private TraceRecord traceRecord(Bytes<byte[]> body) throws InvalidTraceFileException {
        requireBytes(body, 1);
        return switch (body.readUnsignedByte()) {
            case TraceFileFormat.OPENED -> opened(body);
            case TraceFileFormat.MESSAGE -> message(body);
            case TraceFileFormat.CLOSED -> new TraceRecord.SessionClosed(u64(body), text(body));
            default -> throw invalid("is corrupt");
        };
    }

    private TraceRecord opened(Bytes<byte[]> body) throws InvalidTraceFileException {
        int session = u32(body);
        Instant time = Instant.ofEpochMilli(u64(body));
        return new TraceRecord.SessionOpened(session, time, text(body), text(body));
    }

    private TraceRecord message(Bytes<byte[]> body) throws InvalidTraceFileException {
        long nanos = u64(body);
        requireBytes(body, 1);
        TraceSide side = TraceSide.byCode(body.readUnsignedByte()).orElseThrow(() -> invalid("is corrupt"));
        byte[] bytes = bytes(body);
        int count = u32(body);
        List<PassedFd> descriptors = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            descriptors.add(new PassedFd(u32(body), text(body)));
        }
        return new TraceRecord.MessageSent(nanos, side, bytes, descriptors);
    }

    private String text(Bytes<byte[]> body) throws InvalidTraceFileException {
        return new String(bytes(body), StandardCharsets.UTF_8);
    }

    private byte[] bytes(Bytes<byte[]> body) throws InvalidTraceFileException {
        int length = u32(body);
        requireBytes(body, length);
        byte[] bytes = new byte[length];
        body.read(bytes);
        return bytes;
    }

    private long u64(Bytes<byte[]> body) throws InvalidTraceFileException {
        requireBytes(body, Long.BYTES);
        return body.readLong();
    }

    private int u32(Bytes<byte[]> body) throws InvalidTraceFileException {
        requireBytes(body, Integer.BYTES);
        return body.readInt();
    }

    private void requireBytes(Bytes<byte[]> body, int length) throws InvalidTraceFileException {
        if (length < 0 || body.readRemaining() < length) {
            throw invalid("is corrupt");
        }
    }

    private InvalidTraceFileException invalid(String how) {
        return new InvalidTraceFileException(how + " after " + frames + " records");
    }
}
