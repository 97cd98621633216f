package org.vhostuserrng.transport.vfiouser.session;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.vhostuserrng.transport.memory.GuestMemory;
import org.vhostuserrng.transport.memory.VirtqueueDirtyLogger.BufferWriteListener;
import org.vhostuserrng.transport.sys.AnonymousMapping;

/**
 * The random bytes that a device has written to the copies of buffers, until the guest has them. They are moved here at
 * once, and the copies are wiped, because the pages of the copies would occupy much more memory than the bytes of small
 * buffers. Confined to the loop's thread.
 */
final class BounceBuffers implements BufferWriteListener, AutoCloseable {
    private static final int INITIAL_BYTES = 4096;
    private static final int INITIAL_RANGES = 16;
    /** Maximum size of the memory that is kept while it contains no bytes. */
    private static final int MAX_KEPT_BYTES = 65536;

    private static final int PAGE_SHIFT = 12;
    /** Number of accessed pages of copies at which they are freed. */
    private static final int MAX_TOUCHED_PAGES = 16;

    private final GuestMemory memory;
    private Arena arena = Arena.ofConfined();
    private MemorySegment bytes = arena.allocate(INITIAL_BYTES);
    private int used;
    private long[] addresses = new long[INITIAL_RANGES];
    private int[] lengths = new int[INITIAL_RANGES];
    private int count;
    private int next;
    private int nextOffset;
    /** Upper bound of the number of pages that were accessed since pages were last freed. */
    private long touchedPages;
    /** By the index of a region. */
    private final boolean[] touchedRegions;

    BounceBuffers(GuestMemory memory) {
        this.memory = memory;
        this.touchedRegions = new boolean[memory.regionCount()];
    }

    @Override
    public void bufferWritten(long guestAddress, long length) {
        int region = memory.regionAt(guestAddress);
        if (length == 0 || region == GuestMemory.NONE || !memory.isCopy(region)) {
            return;
        }
        int added = (int) length;
        reserve(added);
        MemorySegment source = memory.bytes(region);
        long offset = memory.offset(region, guestAddress);
        MemorySegment.copy(source, offset, bytes, used, added);
        source.asSlice(offset, added).fill((byte) 0);
        touch(region, length);
        if (count > 0 && addresses[count - 1] + lengths[count - 1] == guestAddress) {
            lengths[count - 1] += added;
        } else {
            addRange(guestAddress, added);
        }
        used += added;
    }

    private void addRange(long guestAddress, int length) {
        if (count == addresses.length) {
            addresses = Arrays.copyOf(addresses, 2 * count);
            lengths = Arrays.copyOf(lengths, 2 * count);
        }
        addresses[count] = guestAddress;
        lengths[count] = length;
        count++;
    }

    private void reserve(int added) {
        if (added <= bytes.byteSize() - used) {
            return;
        }
        replaceMemory(Math.max(2 * bytes.byteSize(), used + (long) added));
    }

    /** Moves the bytes to memory of another size, and wipes the previous one. */
    private void replaceMemory(long size) {
        Arena other = Arena.ofConfined();
        MemorySegment moved = other.allocate(size);
        MemorySegment.copy(bytes, 0, moved, 0, used);
        bytes.asSlice(0, used).fill((byte) 0);
        arena.close();
        arena = other;
        bytes = moved;
    }

    /** Records that pages of a region that is a copy were accessed. */
    void touch(int region, long length) {
        touchedPages += (length >>> PAGE_SHIFT) + 1;
        touchedRegions[region] = true;
    }

    /** Frees the pages of copies that were accessed, if there are many. */
    void freeManyPages() {
        if (touchedPages >= MAX_TOUCHED_PAGES) {
            freePages();
        }
    }

    private void freePages() {
        touchedPages = 0;
        for (int region = 0; region < touchedRegions.length; region++) {
            if (touchedRegions[region]) {
                touchedRegions[region] = false;
                AnonymousMapping.freePages(memory.bytes(region));
            }
        }
    }

    /** Begins to write the next range to the guest. Returns false if there is none. */
    boolean writeNext(DmaTransfer transfer) {
        if (next == count) {
            return false;
        }
        transfer.write(addresses[next], bytes, nextOffset, lengths[next]);
        nextOffset += lengths[next];
        next++;
        return true;
    }

    /** Wipes all bytes. */
    void wipe() {
        bytes.asSlice(0, used).fill((byte) 0);
        used = 0;
        count = 0;
        next = 0;
        nextOffset = 0;
        if (bytes.byteSize() > MAX_KEPT_BYTES) {
            replaceMemory(INITIAL_BYTES);
        }
    }

    @Override
    public void close() {
        wipe();
        freePages();
        arena.close();
    }
}
