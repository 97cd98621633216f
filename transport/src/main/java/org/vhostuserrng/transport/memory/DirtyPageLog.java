package org.vhostuserrng.transport.memory;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import org.vhostuserrng.transport.sys.MemoryMapping;
import org.vhostuserrng.transport.sys.NotificationFd;

/**
 * The dirty log of a session (vhost-user, "Migration"): a bitmap with one bit per 4096-byte page of guest memory, set
 * if the device has written to the page. The VMM reads and clears it concurrently. Each bit is set atomically, after
 * the write that it logs. Confined to the loop's thread.
 */
public final class DirtyPageLog implements AutoCloseable {
    /** Required alignment of the log in its file in bytes, because bits are set by atomic accesses to words. */
    public static final int ALIGNMENT = Integer.BYTES;

    private static final int PAGE_SHIFT = 12;
    private static final int WORD_SHIFT = 5;
    private static final int WORD_BITS = 1 << WORD_SHIFT;
    // vhost-user sets log[page / 8] |= 1 << page % 8. Bit page % 32 of little-endian word page / 32 is the same bit.
    private static final VarHandle WORD =
            ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN).varHandle();

    private MemoryMapping mapping;
    private MemorySegment bitmap;
    private long bytes;
    private NotificationFd listener;

    /** Creates a log that is off. */
    public DirtyPageLog() {}

    /** Marks the pages of a range of guest-physical addresses. Pages beyond the end of the log are ignored. */
    void markRange(long guestAddress, long length) {
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

    /**
     * Starts logging to a mapping. Takes ownership of the mapping.
     *
     * @param newMapping the bitmap; must not be able to vanish, because a SIGBUS in an atomic access ends the JVM
     */
    @SuppressWarnings("exports")
    public void setBitmap(MemoryMapping newMapping) {
        unmap();
        mapping = newMapping;
        // The log may end within a word. The bits of that word beyond the end of the log are not set.
        bitmap = newMapping.pages();
        bytes = newMapping.segment().byteSize();
    }

    /** Sets the descriptor to signal after each logged write; null for none. Takes ownership of the descriptor. */
    @SuppressWarnings("exports")
    public void setListener(NotificationFd newListener) {
        if (listener != null) {
            listener.close();
        }
        listener = newListener;
    }

    /** The size of the log in bytes; 0 if it is off. */
    public long size() {
        return bitmap == null ? 0 : bytes;
    }

    /** The offset of the log in its file; 0 if it is off. */
    public long offset() {
        return mapping == null ? 0 : mapping.offset();
    }

    /** The ID of the log's descriptor; 0 if it is off. */
    public long fileId() {
        return mapping == null ? 0 : mapping.fileId();
    }

    /** The ID of the listener's descriptor; 0 for none. */
    public long listenerId() {
        return listener == null ? 0 : listener.fd().id();
    }

    @Override
    public void close() {
        unmap();
        setListener(null);
    }

    private void unmap() {
        if (mapping != null) {
            mapping.close();
            mapping = null;
            bitmap = null;
        }
    }
}
