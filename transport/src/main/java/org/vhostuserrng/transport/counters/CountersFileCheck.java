package org.vhostuserrng.transport.counters;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Decides whether this process may continue an existing counters file. Does not change the file. */
final class CountersFileCheck {
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
    private static final long MAX_BYTES = 1L << 30;

    private final CountersLayout layout;
    private final long size;

    /**
     * Creates the check of a file.
     *
     * @param size the size of the file in bytes
     */
    CountersFileCheck(CountersLayout layout, long size) {
        this.layout = layout;
        this.size = size;
    }

    /**
     * Returns the size of the file.
     *
     * @throws IOException if no counters file has this size
     */
    long requireSize() throws IOException {
        if (size < CountersLayout.HEADER_BYTES || size > MAX_BYTES || size % Long.BYTES != 0) {
            throw notACountersFile();
        }
        return size;
    }

    /**
     * Returns whether a file has no counters: all its bytes are zero, or its writer ended before the file was complete.
     */
    boolean isBlank(MemorySegment memory) {
        boolean described = memory.get(LONG, CountersLayout.MAGIC) == 0
                && memory.get(LONG, CountersLayout.VERSION) == CountersLayout.VERSION_1;
        long offset = described ? Math.min(size, layout.guestSlotsOffset()) : 0;
        while (offset < size) {
            if (memory.get(LONG, offset) != 0) {
                return false;
            }
            offset += Long.BYTES;
        }
        return true;
    }

    /**
     * Returns the number of guest slots of a file that this process may continue.
     *
     * @param locked whether a lock ensures that no other process writes the file
     * @throws IOException if this process may not continue the file
     */
    int requireContinuable(MemorySegment memory, boolean locked) throws IOException {
        long magic = memory.get(LONG, CountersLayout.MAGIC);
        if (magic != CountersLayout.MAGIC_NUMBER) {
            throw notACountersFile();
        }
        long version = memory.get(LONG, CountersLayout.VERSION);
        if (version != CountersLayout.VERSION_1) {
            throw new IOException("has layout version " + Long.toUnsignedString(version) + ", expected "
                    + CountersLayout.VERSION_1 + "; another release of this program wrote it");
        }
        if (size < layout.guestSlotsOffset() || !new CountersFileDescription(layout).matches(memory)) {
            throw new IOException("has other fields; another release of this program wrote it");
        }
        long slots = memory.get(LONG, CountersLayout.GUEST_SLOT_COUNT);
        if (slots < 0 || slots > (size - layout.guestSlotsOffset()) / layout.guestSlotBytes()) {
            throw new IOException("is truncated");
        }
        if (!locked) {
            requireEnded(memory);
        }
        return (int) slots;
    }

    private static void requireEnded(MemorySegment memory) throws IOException {
        long pid = memory.get(LONG, CountersLayout.PID);
        boolean stopped = memory.get(LONG, CountersLayout.STOP_REALTIME) != 0;
        if (!stopped && pid > 0 && ProcessHandle.of(pid).isPresent()) {
            throw new IOException("is in use by process " + pid);
        }
    }

    private static IOException notACountersFile() {
        return new IOException("is not a counters file");
    }
}
