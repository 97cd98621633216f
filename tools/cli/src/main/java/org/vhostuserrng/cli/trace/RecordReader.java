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
import org.vhostuserrng.cli.trace.TraceEvent.PassedDescriptor;

/** Reads what {@link RecordWriter} wrote, and as much as there is of it where it was cut off. */
final class RecordReader {
    private static final int PREAMBLE = Long.BYTES + Integer.BYTES;

    private final DataInputStream file;
    private long frames;

    /**
     * A record at its start.
     *
     * @throws IOException when it is no record, or one of another version
     */
    RecordReader(InputStream file) throws IOException {
        this.file = new DataInputStream(file);
        Bytes<byte[]> preamble = Bytes.wrapForRead(file.readNBytes(PREAMBLE));
        if (preamble.readRemaining() < PREAMBLE || preamble.readLong() != RecordFormat.MAGIC) {
            throw new DamagedRecordException("is no record of trace");
        }
        int version = preamble.readInt();
        if (version != RecordFormat.VERSION) {
            throw new DamagedRecordException(
                    "is of version " + Integer.toUnsignedString(version) + ", expected " + RecordFormat.VERSION);
        }
    }

    /**
     * Hands every event to {@code sink}.
     *
     * @throws DamagedRecordException after the last whole one, when something follows that is none
     */
    void replay(TraceSink sink) throws IOException {
        byte[] lengthBytes = file.readNBytes(Integer.BYTES);
        while (lengthBytes.length > 0) {
            sink.accept(event(frame(lengthBytes)));
            frames++;
            lengthBytes = file.readNBytes(Integer.BYTES);
        }
    }

    private Bytes<byte[]> frame(byte[] lengthBytes) throws IOException {
        if (lengthBytes.length < Integer.BYTES) {
            throw damaged("is cut off");
        }
        long length = Bytes.wrapForRead(lengthBytes).readUnsignedInt();
        if (length > RecordFormat.LONGEST_FRAME) {
            throw damaged("is damaged");
        }
        byte[] body = new byte[(int) length];
        try {
            file.readFully(body);
        } catch (EOFException cutOff) {
            throw damaged("is cut off");
        }
        return Bytes.wrapForRead(body);
    }

    private TraceEvent event(Bytes<byte[]> body) throws DamagedRecordException {
        need(body, 1);
        return switch (body.readUnsignedByte()) {
            case RecordFormat.OPENED -> opened(body);
            case RecordFormat.MESSAGE -> message(body);
            case RecordFormat.CLOSED -> new TraceEvent.Closed(u64(body), text(body));
            default -> throw damaged("is damaged");
        };
    }

    private TraceEvent opened(Bytes<byte[]> body) throws DamagedRecordException {
        int session = u32(body);
        Instant time = Instant.ofEpochMilli(u64(body));
        return new TraceEvent.Opened(session, time, text(body), text(body));
    }

    private TraceEvent message(Bytes<byte[]> body) throws DamagedRecordException {
        long nanos = u64(body);
        need(body, 1);
        Side side = Side.byCode(body.readUnsignedByte()).orElseThrow(() -> damaged("is damaged"));
        byte[] bytes = bytes(body);
        int count = u32(body);
        List<PassedDescriptor> descriptors = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            descriptors.add(new PassedDescriptor(u32(body), text(body)));
        }
        return new TraceEvent.Message(nanos, side, bytes, descriptors);
    }

    private String text(Bytes<byte[]> body) throws DamagedRecordException {
        return new String(bytes(body), StandardCharsets.UTF_8);
    }

    private byte[] bytes(Bytes<byte[]> body) throws DamagedRecordException {
        int length = u32(body);
        need(body, length);
        byte[] bytes = new byte[length];
        body.read(bytes);
        return bytes;
    }

    private long u64(Bytes<byte[]> body) throws DamagedRecordException {
        need(body, Long.BYTES);
        return body.readLong();
    }

    private int u32(Bytes<byte[]> body) throws DamagedRecordException {
        need(body, Integer.BYTES);
        return body.readInt();
    }

    private void need(Bytes<byte[]> body, int length) throws DamagedRecordException {
        if (length < 0 || body.readRemaining() < length) {
            throw damaged("is damaged");
        }
    }

    private DamagedRecordException damaged(String how) {
        return new DamagedRecordException(how + " after " + frames + " events");
    }
}
