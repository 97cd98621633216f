package org.vhostuserrng.transport.memory;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import org.vhostuserrng.transport.sys.EventFd;
import org.vhostuserrng.transport.sys.MemoryMapping;

/**
 * The pages of guest memory that have been written, for a VMM that migrates the guest (vhost-user, "Migration"): a bit
 * for each page of 4096 bytes, in memory that the VMM reads and clears meanwhile. Confined to the loop's thread; bits
 * are set atomically, after the write that they tell of.
 */
public final class DirtyPageLog implements AutoCloseable {
    /** Where in its file a log may begin: bits are set in whole words. */
    public static final int ALIGNMENT = Integer.BYTES;

    private static final int PAGE_SHIFT = 12;
    private static final int WORD_SHIFT = 5;
    private static final int WORD_BITS = 1 << WORD_SHIFT;
    // log[page / 8] |= 1 << page % 8, which is the same bit in little-endian words.
    private static final VarHandle WORD =
            ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle();

    private MemoryMapping mapping;
    private MemorySegment bitmap;
    private long bytes;
    private EventFd listener;

    /** A log that nobody has asked for. */
    public DirtyPageLog() {}

    /** Tells that bytes at a guest-physical address have been written. What lies beyond the log is not told. */
    public void wrote(long guestAddress, long length) {
        if (bitmap == null || length == 0) {
            return;
        }
        long last = (guestAddress + length - 1) >>> PAGE_SHIFT;
        for (long page = guestAddress >>> PAGE_SHIFT; page <= last; page++) {
            mark(page);
        }
        if (listener != null) {
            listener.signal();
        }
    }

    private void mark(long page) {
        if (page / Byte.SIZE < bytes) {
            long offset = (page >>> WORD_SHIFT) * Integer.BYTES;
            var _ = (int) WORD.getAndBitwiseOr(bitmap, offset, 1 << (page & (WORD_BITS - 1)));
        }
    }

    /** Logs into {@code newMapping} from now on, which this owns then. Its memory must be unable to vanish. */
    @SuppressWarnings("exports")
    public void use(MemoryMapping newMapping) {
        unmap();
        mapping = newMapping;
        // Of a word that the log has only the beginning of, the other bits stay as they are.
        bitmap = newMapping.pages();
        bytes = newMapping.segment().byteSize();
    }

    /** Signals a descriptor, which this owns then, whenever something has been logged; null for none. */
    @SuppressWarnings("exports")
    public void tell(EventFd newListener) {
        if (listener != null) {
            listener.close();
        }
        listener = newListener;
    }

    @Override
    public void close() {
        unmap();
        tell(null);
    }

    private void unmap() {
        if (mapping != null) {
            mapping.close();
            mapping = null;
            bitmap = null;
        }
    }
}
