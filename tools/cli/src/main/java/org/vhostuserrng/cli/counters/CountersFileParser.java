package org.vhostuserrng.cli.counters;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.vhostuserrng.libc.NativeText;

/** Parses a copy of a counters file, whose format {@code COUNTERS.md} specifies. */
public final class CountersFileParser {
    static final int HEADER_BYTES = 128;
    static final int FIELD_ENTRY_BYTES = 96;
    static final int SLOT_HEADER_BYTES = 280;

    private static final int PID = 80;
    private static final int START_REALTIME = 88;
    private static final int START_MONOTONIC = 96;
    private static final int RESTARTS = 104;
    private static final int STOP_REALTIME = 112;
    private static final int FIELD_NAME = 32;
    private static final int FIELD_NAME_BYTES = 48;
    private static final int SLOT_SERVED = 8;
    private static final int SLOT_NAME_LENGTH = 16;
    private static final int SLOT_NAME = 24;
    private static final int SLOT_NAME_BYTES = 256;
    private static final long KIND_BUCKET = 3;
    private static final long SCOPE_GUEST = 1;
    private static final double NANOS_PER_SECOND = 1e9;
    /** Maximum count of a bucket. It prevents an overflow of the sum of all buckets. */
    private static final long MAX_BUCKET_COUNT = 1L << 48;

    private static final Pattern NAME = Pattern.compile("[a-z][a-z_]*");

    private final ByteBuffer file;
    private final Map<String, Integer> daemonOffsets = new HashMap<>();
    private final Map<String, Integer> guestOffsets = new HashMap<>();
    private final List<Integer> bucketOffsets = new ArrayList<>();
    private final List<Long> bucketBounds = new ArrayList<>();

    /**
     * Creates a parser.
     *
     * @param file the copy, in native byte order; must not change while it is parsed
     */
    public CountersFileParser(ByteBuffer file) {
        this.file = file;
    }

    /**
     * Parses the file.
     *
     * @param now the time at which the copy was made
     * @param monotonicNow the same time in nanoseconds of {@link System#nanoTime}
     * @param written whether a daemon has the file open for writing
     */
    public CountersSnapshot parse(Instant now, long monotonicNow, boolean written) throws InvalidCountersFileException {
        CountersFileGeometry geometry = CountersFileGeometry.read(file);
        readFields(geometry);
        CounterValues daemon = new CounterValues(file, geometry.daemonSlot(), daemonOffsets);
        return new CountersSnapshot(
                now,
                monotonicNow,
                written,
                file.getLong(PID),
                instant(file.getLong(START_REALTIME)),
                file.getLong(START_MONOTONIC),
                Math.max(0, file.getLong(RESTARTS)),
                file.getLong(STOP_REALTIME) != 0,
                daemon,
                readGuests(geometry));
    }

    private static Instant instant(long nanos) {
        return Instant.ofEpochSecond(nanos / 1_000_000_000L, nanos % 1_000_000_000L);
    }

    private void readFields(CountersFileGeometry geometry) throws InvalidCountersFileException {
        for (int i = 0; i < geometry.fields(); i++) {
            int entry = geometry.fieldTable() + i * geometry.fieldBytes();
            boolean guest = file.getLong(entry) == SCOPE_GUEST;
            long kind = file.getLong(entry + 8);
            long offset = file.getLong(entry + 16);
            String name = fieldName(entry + FIELD_NAME);
            long end = guest ? geometry.slotBytes() : file.limit() - geometry.daemonSlot();
            if (offset < 0 || offset > end - Long.BYTES || offset % Long.BYTES != 0) {
                throw new InvalidCountersFileException("is damaged: field " + name + " is outside its slot");
            }
            if (guest && kind == KIND_BUCKET) {
                bucketOffsets.add((int) offset);
                bucketBounds.add(file.getLong(entry + 24));
            } else {
                (guest ? guestOffsets : daemonOffsets).put(name, (int) offset);
            }
        }
        for (int i = 1; i < bucketBounds.size(); i++) {
            // Compare in seconds, as the bounds are exported: two large bounds may round to the same number of seconds.
            if (bucketBounds.get(i) / NANOS_PER_SECOND <= bucketBounds.get(i - 1) / NANOS_PER_SECOND) {
                throw new InvalidCountersFileException("is damaged: the bounds of a histogram do not increase");
            }
        }
    }

    private String fieldName(int offset) throws InvalidCountersFileException {
        int length = 0;
        while (length < FIELD_NAME_BYTES && file.get(offset + length) != 0) {
            length++;
        }
        byte[] bytes = new byte[length];
        file.get(offset, bytes);
        String name = new String(bytes, StandardCharsets.US_ASCII);
        if (!NAME.matcher(name).matches()) {
            throw new InvalidCountersFileException("is damaged: a field has no valid name");
        }
        return name;
    }

    private List<GuestCounters> readGuests(CountersFileGeometry geometry) {
        List<GuestCounters> guests = new ArrayList<>();
        Set<String> names = new HashSet<>();
        for (int slot = 0; slot < geometry.slots(); slot++) {
            int offset = geometry.slotOffset(slot);
            long sequence = file.getLong(offset);
            if (sequence != 0 && (sequence & 1) == 0 && file.getLong(offset + SLOT_SERVED) != 0) {
                CounterValues values = new CounterValues(file, offset, guestOffsets);
                guests.add(new GuestCounters(uniqueName(offset, names), values, latency(offset)));
            }
        }
        return guests;
    }

    /**
     * Returns the guest's name in printable characters. If two names differ only in other characters, the second one
     * gets a suffix.
     */
    private String uniqueName(int slot, Set<String> names) {
        int length = Math.clamp(file.getLong(slot + SLOT_NAME_LENGTH), 0, SLOT_NAME_BYTES);
        byte[] bytes = new byte[length];
        file.get(slot + SLOT_NAME, bytes);
        String printable = NativeText.printable(NativeText.decode(bytes));
        String name = printable;
        for (int i = 2; !names.add(name); i++) {
            name = printable + "#" + i;
        }
        return name;
    }

    private LatencyDistribution latency(int slot) {
        long[] bounds = bucketBounds.stream().mapToLong(Long::longValue).toArray();
        long[] counts = new long[bounds.length];
        for (int i = 0; i < counts.length; i++) {
            counts[i] = Math.clamp(file.getLong(slot + bucketOffsets.get(i)), 0, MAX_BUCKET_COUNT);
        }
        return new LatencyDistribution(bounds, counts);
    }
}
