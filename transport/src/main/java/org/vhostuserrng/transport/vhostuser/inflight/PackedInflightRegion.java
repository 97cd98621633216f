package org.vhostuserrng.transport.vhostuser.inflight;

import static org.vhostuserrng.transport.vhostuser.inflight.InflightRegion.U16;
import static org.vhostuserrng.transport.vhostuser.inflight.InflightRegion.U32;
import static org.vhostuserrng.transport.vhostuser.inflight.InflightRegion.U64;
import static org.vhostuserrng.transport.vhostuser.inflight.InflightRegion.U8;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;
import java.util.Arrays;
import java.util.BitSet;
import org.vhostuserrng.transport.virtio.InvalidVirtqueueException;
import org.vhostuserrng.transport.virtio.PackedInflightTracker;
import org.vhostuserrng.transport.virtio.VirtioConstants;

/**
 * QueueRegionPacked (vhost-user, "Inflight I/O tracking"): the in-flight requests of a packed virtqueue. The region
 * contains copies of the descriptors, because a used descriptor overwrites an available one in the ring. Its entries
 * form linked lists: one for each in-flight chain, and one of the free entries.
 *
 * <p>The head of the free list and the used index each have a current and an old value. An operation changes the
 * current value and, when it is complete, copies it to the old value. If the process ends in between, the next process
 * finishes or undoes the operation, depending on whether the driver can see the used descriptors.
 *
 * <p>The front-end shares the memory. {@link #open} validates the record of a previous process, but does not copy it:
 * each use reads the lists again, and replaces an entry that is out of range. A front-end that changes the lists
 * corrupts only its own record. Stores are plain and separated by fences, so that at any instant a prefix of the
 * sequence of stores is visible to the next process.
 */
final class PackedInflightRegion implements PackedInflightTracker {
    // typedef struct QueueRegionPacked { uint64_t features; uint16_t version; uint16_t desc_num; uint16_t free_head;
    //     uint16_t old_free_head; uint16_t used_idx; uint16_t old_used_idx; uint8_t used_wrap_counter;
    //     uint8_t old_used_wrap_counter; uint8_t padding[7]; DescStatePacked desc[]; } QueueRegionPacked;
    private static final long FREE_HEAD = 12;
    private static final long OLD_FREE_HEAD = 14;
    /**
     * The word of used_idx, old_used_idx, used_wrap_counter and old_used_wrap_counter, which one store changes
     * together.
     */
    private static final long USED = 16;

    private static final long DESC = 32;
    // typedef struct DescStatePacked { uint8_t inflight; uint8_t padding; uint16_t next; uint16_t last; uint16_t num;
    //     uint64_t counter; uint16_t id; uint16_t flags; uint32_t len; uint64_t addr; } DescStatePacked;
    private static final long INFLIGHT = 0;
    private static final long NEXT = 2;
    private static final long LAST = 4;
    private static final long NUM = 6;
    private static final long COUNTER = 8;
    private static final long ID = 16;
    private static final long FLAGS = 18;
    private static final long LEN = 20;
    private static final long ADDR = 24;
    private static final long DESC_BYTES = 32;

    // The positions of the fields of DescStatePacked in an array of words.
    private static final int WORDS = 4;
    private static final int NEXT_SHIFT = 16;
    private static final int NUM_SHIFT = 48;
    private static final int ID_FLAGS_LEN_WORD = 2;
    private static final int FLAGS_SHIFT = 16;

    private static final int WRAP_SHIFT = 15;

    private static final int MIN_BATCH = 64;

    private final MemorySegment region;
    private final int descNum;
    private final int size;
    /**
     * Indices of the first and the last entry of each used chain that is not published yet. Grows with the batches of
     * the device.
     */
    private char[] batch = new char[2 * MIN_BATCH];

    private int batchSize;
    /** The index of the first free entry; {@link #descNum} if there is none. */
    private int freeHead;
    /** Indices of the first and the last entry of the chain that was popped last. */
    private int poppedHead;

    private int poppedLast;

    private long counter;
    /** The position of the next used descriptor: its index and wrap counter. */
    private int used;

    private boolean resumed;

    private final InflightResubmissions resubmissions;
    /** The number of descriptors in the chains of {@link #resubmissions}. */
    private int resubmittedDescriptors;

    private int poppedLength;

    private PackedInflightRegion(InflightRegion header, int size) {
        this.region = header.bytes();
        this.descNum = header.queueSize();
        this.size = size;
        this.resubmissions = new InflightResubmissions(entries(), WORDS);
    }

    static long bytesFor(int queueSize) {
        return DESC + queueSize * DESC_BYTES;
    }

    static PackedInflightRegion open(InflightRegion header, MemorySegment ring, int size, int nextUsed)
            throws InvalidVirtqueueException {
        PackedInflightRegion opened = new PackedInflightRegion(header, size);
        if (header.hasPredecessor(size)) {
            opened.recover(ring);
        } else {
            opened.initialize(nextUsed);
            header.begin();
        }
        return opened;
    }

    private void initialize(int nextUsed) {
        long[] words = new long[descNum * WORDS];
        for (int entry = 0; entry < descNum; entry++) {
            words[entry * WORDS] = (entry + 1L) << NEXT_SHIFT;
        }
        InflightRegion.writeWords(entries(), words);
        region.set(U16, FREE_HEAD, (short) 0);
        region.set(U16, OLD_FREE_HEAD, (short) 0);
        used = nextUsed;
        setUsed(nextUsed, nextUsed);
    }

    // --- "When reconnecting" ---------------------------------------------------------------------------------------

    private void recover(MemorySegment ring) throws InvalidVirtqueueException {
        resumed = true;
        finishOrUndo(ring);
        long[] words = InflightRegion.readWords(entries());
        BitSet known = new BitSet(descNum);
        for (int entry = freeHead; entry < descNum; entry = nextIn(words, entry)) {
            own(entry, known);
            words[entry * WORDS] = InflightRegion.withoutInflight(words[entry * WORDS]);
        }
        InflightRegion.writeWords(entries(), words);
        VarHandle.releaseFence();
        findResubmissions(words, known);
        if (known.cardinality() != descNum) {
            throw corrupt("of " + descNum + " entries, " + known.cardinality() + " are free or in flight");
        }
    }

    /**
     * Finishes the last batch of the previous process if the driver can see its first used descriptor; otherwise undoes
     * it.
     */
    private void finishOrUndo(MemorySegment ring) throws InvalidVirtqueueException {
        long both = region.get(U64, USED);
        int current = position(both & 0xffff, both >>> 32);
        int old = position(both >>> 16 & 0xffff, both >>> 40);
        long first = (long) (old & VirtioConstants.PACKED_INDEX_MASK) * VirtioConstants.DESCRIPTOR_BYTES;
        int flags = Short.toUnsignedInt(ring.get(U16, first + VirtioConstants.PVIRTQ_DESC_FLAGS));
        boolean finish = current != old && !VirtioConstants.isPackedAvailable(flags, old >>> WRAP_SHIFT != 0);
        used = finish ? current : old;
        freeHead = u16(finish ? FREE_HEAD : OLD_FREE_HEAD);
        if (freeHead > descNum) {
            throw corrupt("head " + freeHead + " of the free list");
        }
        region.set(U16, finish ? OLD_FREE_HEAD : FREE_HEAD, (short) freeHead);
        VarHandle.releaseFence();
        setUsed(used, used);
        VarHandle.releaseFence();
    }

    private int position(long index, long wrap) throws InvalidVirtqueueException {
        if (index >= size || (wrap & 0xff) > 1) {
            throw corrupt("used index " + index + " and wrap counter " + (wrap & 0xff));
        }
        return (int) (index | (wrap & 0xff) << WRAP_SHIFT);
    }

    private static int nextIn(long[] words, int entry) {
        return (char) (words[entry * WORDS] >>> NEXT_SHIFT);
    }

    private void findResubmissions(long[] words, BitSet known) throws InvalidVirtqueueException {
        int[] heads = InflightRegion.inflightEntries(words, WORDS, descNum);
        for (int head : heads) {
            counter = words[head * WORDS + InflightRegion.COUNTER_WORD] + 1;
            validateChain(words, head, (int) (words[head * WORDS] >>> NUM_SHIFT), known);
        }
        resubmissions.begin(words, heads);
    }

    private void validateChain(long[] words, int head, int length, BitSet known) throws InvalidVirtqueueException {
        if (length < 1 || length > size - resubmittedDescriptors) {
            throw corrupt("a chain of " + length + " descriptors");
        }
        resubmittedDescriptors += length;
        int entry = head;
        for (int i = 0; i < length; i++) {
            own(entry, known);
            int flags = (int) (words[entry * WORDS + ID_FLAGS_LEN_WORD] >>> FLAGS_SHIFT) & 0xffff;
            boolean more = (flags & VirtioConstants.VIRTQ_DESC_F_NEXT) != 0;
            if (more != (i < length - 1)) {
                throw corrupt("a chain of " + length + " descriptors that ends elsewhere");
            }
            entry = nextIn(words, entry);
        }
    }

    private void own(int entry, BitSet known) throws InvalidVirtqueueException {
        if (entry >= descNum || known.get(entry)) {
            throw corrupt("entry " + entry + " is out of range or in two lists");
        }
        known.set(entry);
    }

    private static InvalidVirtqueueException corrupt(String what) {
        return new InvalidVirtqueueException("inflight region with " + what);
    }

    @Override
    public boolean isResumed() {
        return resumed;
    }

    @Override
    public int nextUsed() {
        return used;
    }

    @Override
    public int resubmittedCount() {
        return resubmittedDescriptors;
    }

    @Override
    public boolean hasResubmitted() {
        return resubmissions.hasNext();
    }

    @Override
    public int resubmittedEntry() {
        return resubmissions.head();
    }

    @Override
    public int resubmittedLength() {
        int length = u16(desc(resubmissions.head()) + NUM);
        // The other resubmitted chains have at least one descriptor each, which limits the length of this one.
        return length <= resubmittedDescriptors - resubmissions.left() + 1 ? length : 0;
    }

    @Override
    public int copyResubmitted(int entry, MemorySegment target) {
        long from = desc(entry);
        target.set(U64, VirtioConstants.PVIRTQ_DESC_ADDR, region.get(U64, from + ADDR));
        target.set(U32, VirtioConstants.PVIRTQ_DESC_LEN, region.get(U32, from + LEN));
        target.set(U16, VirtioConstants.PVIRTQ_DESC_ID, region.get(U16, from + ID));
        target.set(U16, VirtioConstants.PVIRTQ_DESC_FLAGS, region.get(U16, from + FLAGS));
        return inRange(next(entry));
    }

    private int next(int entry) {
        return u16(desc(entry) + NEXT);
    }

    /** Returns an entry that was read from memory of the front-end; entry 0 if it is out of range. */
    private int inRange(int entry) {
        return entry < descNum ? entry : 0;
    }

    // --- "When receiving available buffers from the driver" --------------------------------------------------------

    @Override
    public void markInflight(MemorySegment ring, int index, int length) {
        poppedLength = length;
        if (resubmissions.hasNext()) {
            popResubmitted(length);
            return;
        }
        poppedHead = inRange(freeHead);
        long head = desc(poppedHead);
        region.set(U16, head + NUM, (short) length);
        region.set(U64, head + COUNTER, counter++);
        region.set(U8, head + INFLIGHT, (byte) 1);
        int descriptor = index;
        for (int i = 0; i < length; i++) {
            poppedLast = inRange(freeHead);
            copy(ring, descriptor, poppedLast);
            freeHead = next(poppedLast);
            descriptor = descriptor + 1 == size ? 0 : descriptor + 1;
        }
        region.set(U16, head + LAST, (short) poppedLast);
        setFreeHead();
    }

    private void popResubmitted(int length) {
        poppedHead = resubmissions.head();
        poppedLast = poppedHead;
        for (int i = 1; i < length; i++) {
            poppedLast = inRange(next(poppedLast));
        }
    }

    private void copy(MemorySegment ring, int index, int entry) {
        long from = (long) index * VirtioConstants.DESCRIPTOR_BYTES;
        long to = desc(entry);
        region.set(U64, to + ADDR, ring.get(U64, from));
        region.set(U32, to + LEN, ring.get(U32, from + VirtioConstants.PVIRTQ_DESC_LEN));
        region.set(U16, to + FLAGS, ring.get(U16, from + VirtioConstants.PVIRTQ_DESC_FLAGS));
        region.set(U16, to + ID, ring.get(U16, from + VirtioConstants.PVIRTQ_DESC_ID));
    }

    @Override
    public void unmarkInflight() {
        if (!resubmissions.hasNext()) {
            freeHead = poppedHead;
            setFreeHead();
            region.set(U8, desc(poppedHead) + INFLIGHT, (byte) 0);
        }
    }

    /**
     * Stores the head of the free list. After a crash, the old head is decisive: entries that are not reachable from it
     * are in flight.
     */
    private void setFreeHead() {
        VarHandle.releaseFence();
        region.set(U16, FREE_HEAD, (short) freeHead);
        VarHandle.releaseFence();
        region.set(U16, OLD_FREE_HEAD, (short) freeHead);
        VarHandle.releaseFence();
    }

    // --- "When supplying used buffers to the driver" ---------------------------------------------------------------

    @Override
    public boolean addUsed() {
        if (batchSize == batch.length) {
            batch = Arrays.copyOf(batch, 2 * batchSize);
        }
        batch[batchSize++] = (char) poppedHead;
        batch[batchSize++] = (char) poppedLast;
        boolean resubmitted = resubmissions.advance();
        if (resubmitted) {
            resubmittedDescriptors -= poppedLength;
        }
        return !resubmitted;
    }

    /**
     * Frees the entries of all used chains. They must not be freed earlier, because a chain that is popped before would
     * overwrite them.
     */
    @Override
    public void publishing(int nextUsed) {
        int free = freeHead;
        for (int i = 0; i < batchSize; i += 2) {
            region.set(U16, desc(batch[i + 1]) + NEXT, (short) free);
            free = batch[i];
        }
        freeHead = free;
        VarHandle.releaseFence();
        region.set(U16, FREE_HEAD, (short) free);
        VarHandle.releaseFence();
        setUsed(nextUsed, used);
        used = nextUsed;
        VarHandle.releaseFence();
    }

    @Override
    public void published() {
        VarHandle.releaseFence();
        for (int i = 0; i < batchSize; i += 2) {
            region.set(U8, desc(batch[i]) + INFLIGHT, (byte) 0);
        }
        VarHandle.releaseFence();
        region.set(U16, OLD_FREE_HEAD, (short) freeHead);
        VarHandle.releaseFence();
        setUsed(used, used);
        VarHandle.releaseFence();
        batchSize = 0;
    }

    /**
     * Writes the used indices and wrap counters with one store, because an index with a wrong wrap counter would be a
     * wrong position.
     */
    private void setUsed(int current, int old) {
        long indices =
                (current & VirtioConstants.PACKED_INDEX_MASK) | (long) (old & VirtioConstants.PACKED_INDEX_MASK) << 16;
        long wraps = (current >>> WRAP_SHIFT) | (long) (old >>> WRAP_SHIFT) << 8;
        region.set(U64, USED, indices | wraps << 32);
    }

    private MemorySegment entries() {
        return region.asSlice(DESC, descNum * DESC_BYTES);
    }

    private int u16(long at) {
        return Short.toUnsignedInt(region.get(U16, at));
    }

    private static long desc(int entry) {
        return DESC + entry * DESC_BYTES;
    }
}
