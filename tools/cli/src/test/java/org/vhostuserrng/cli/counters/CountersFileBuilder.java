package org.vhostuserrng.cli.counters;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;

/** Builds counters files in the format of COUNTERS.md, for tests. */
public final class CountersFileBuilder {
    public static final int BYTES = 0;
    public static final int REQUESTS = 1;
    public static final int THROTTLED_TIME = 2;
    public static final int CONNECTED = 3;
    public static final int SOURCE_STATE = 4;
    public static final int FIRST_BUCKET = 5;

    private static final List<String> GUEST_FIELDS =
            List.of("bytes", "requests", "throttled_time", "connected", "source_state");
    private static final long[] BUCKETS = {1000, 2000, Long.MAX_VALUE};
    private static final int ENTRY_BYTES = 96;
    private static final int HEADER_BYTES = 128;
    private static final int FIELDS = 1 + 5 + 3;
    private static final int DAEMON_SLOT = HEADER_BYTES + FIELDS * ENTRY_BYTES;
    private static final int SLOTS = DAEMON_SLOT + 64;
    private static final int SLOT_BYTES = 512;
    private static final int VALUES = 320;
    private static final int SLOT_COUNT = 3;

    private final ByteBuffer file =
            ByteBuffer.allocate(SLOTS + SLOT_COUNT * SLOT_BYTES).order(ByteOrder.nativeOrder());
    private int guests;

    /** Creates a file without guests. */
    public CountersFileBuilder() {
        long[] header = {
            0x7463676e72756876L,
            1,
            file.capacity(),
            HEADER_BYTES,
            ENTRY_BYTES,
            FIELDS,
            DAEMON_SLOT,
            SLOTS,
            SLOT_BYTES,
            SLOT_COUNT,
            4711,
            1_000_000_000L,
            0,
            2
        };
        for (int i = 0; i < header.length; i++) {
            set(i * Long.BYTES, header[i]);
        }
        field(0, 0, 1, 0, 0, "source_failovers");
        for (int i = 0; i < GUEST_FIELDS.size(); i++) {
            field(1 + i, 1, 1, VALUES + i * Long.BYTES, 0, GUEST_FIELDS.get(i));
        }
        for (int i = 0; i < BUCKETS.length; i++) {
            field(6 + i, 1, 3, VALUES + (FIRST_BUCKET + i) * Long.BYTES, BUCKETS[i], "latency_bucket");
        }
    }

    private void field(int index, long scope, long kind, long offset, long bound, String name) {
        int entry = HEADER_BYTES + index * ENTRY_BYTES;
        set(entry, scope);
        set(entry + 8, kind);
        set(entry + 16, offset);
        set(entry + 24, bound);
        file.put(entry + 32, name.getBytes(StandardCharsets.US_ASCII));
    }

    /** Overwrites the number at an offset. */
    public CountersFileBuilder set(int offset, long value) {
        file.putLong(offset, value);
        return this;
    }

    /** Adds a guest. {@code values} are the values of the first fields. */
    public CountersFileBuilder guest(String name, long... values) {
        return guest(name.getBytes(StandardCharsets.UTF_8), values);
    }

    /** Adds a guest whose name has these bytes. */
    public CountersFileBuilder guest(byte[] name, long... values) {
        int slot = SLOTS + guests++ * SLOT_BYTES;
        set(slot, 2);
        set(slot + 8, 1);
        set(slot + 16, name.length);
        file.put(slot + 24, name);
        for (int i = 0; i < values.length; i++) {
            set(slot + VALUES + i * Long.BYTES, values[i]);
        }
        return this;
    }

    /** Overwrites the sequence number of the last guest's slot. */
    public CountersFileBuilder sequence(long sequence) {
        return set(SLOTS + (guests - 1) * SLOT_BYTES, sequence);
    }

    /** Returns the bytes of the file. */
    public byte[] bytes() {
        return file.array().clone();
    }

    /** Writes the file. */
    public void write(Path path) throws IOException {
        Files.write(path, bytes());
    }

    /** Parses the file as if it were read at {@code nanos} while the daemon runs. */
    public CountersSnapshot parse(long nanos) throws InvalidCountersFileException {
        return parse(bytes(), nanos);
    }

    /** Parses the bytes of a file as if it were read at {@code nanos} while the daemon runs. */
    public static CountersSnapshot parse(byte[] bytes, long nanos) throws InvalidCountersFileException {
        ByteBuffer copy = ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
        return new CountersFileParser(copy).parse(Instant.EPOCH, nanos, true);
    }
}
