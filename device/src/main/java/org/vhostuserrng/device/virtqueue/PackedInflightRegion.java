package org.vhostuserrng.device.virtqueue;

import static org.vhostuserrng.device.virtqueue.InflightRegion.U16;
import static org.vhostuserrng.device.virtqueue.InflightRegion.U32;
import static org.vhostuserrng.device.virtqueue.InflightRegion.U64;
import static org.vhostuserrng.device.virtqueue.InflightRegion.U8;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;
import java.util.BitSet;
import org.vhostuserrng.transport.virtio.InflightArea;
import org.vhostuserrng.transport.virtio.InvalidVirtqueueException;

/**
 * The record of the requests under way of a packed virtqueue: QueueRegionPacked of the vhost-user document, "Inflight
 * I/O tracking". A used descriptor overwrites an available one, so this keeps the descriptors themselves, each list of
 * them in entries that a list of free ones gave.
 *
 * <p>Of the heads of the free list and of the used index there are two: what is being done, and the old one, what is
 * done. An end of the process in between makes the successor either finish that or undo it, by what the driver can see.
 *
 * <p>The front-end has the memory too. What a predecessor left is checked, by {@link #open}, and copied; after that this
 * only writes. Stores are plain and kept apart by fences: a process that is killed leaves behind a beginning of them.
 */
final class PackedInflightRegion {
    // typedef struct QueueRegionPacked { uint64_t features; uint16_t version; uint16_t desc_num; uint16_t free_head;
    //     uint16_t old_free_head; uint16_t used_idx; uint16_t old_used_idx; uint8_t used_wrap_counter;
    //     uint8_t old_used_wrap_counter; uint8_t padding[7]; DescStatePacked desc[]; } QueueRegionPacked;
    private static final long FREE_HEAD = 12;
    private static final long OLD_FREE_HEAD = 14;
    /** used_idx, old_used_idx, used_wrap_counter and old_used_wrap_counter in one piece, which changes at once. */
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

    // The same in words.
    private static final int WORDS = 4;
    private static final int NEXT_SHIFT = 16;
    private static final int NUM_SHIFT = 48;
    private static final int COUNTER_WORD = 1;
    private static final int ID_FLAGS_LEN_WORD = 2;
    private static final int FLAGS_SHIFT = 16;
    private static final int LEN_SHIFT = 32;
    private static final int ADDR_WORD = 3;

    // A position in the descriptor ring, in the form that events and bases have: an index and the wrap counter there.
    private static final int INDEX = 0x7fff;
    private static final int WRAP_SHIFT = 15;

    private final MemorySegment region;
    private final int descNum;
    private final int size;
    /** As in the region: the next entry of each, of the last free one {@link #descNum}. */
    private final char[] next;
    /** The last entry of the list that begins at each. */
    private final char[] last;
    /** Heads of lists whose use is not visible yet. */
    private final char[] batch;

    private int batched;
    private int freeHead;
    private int taken;
    private long counter;
    private int used;
    private boolean continued;

    private final PackedInflightResubmission resubmissions;

    private PackedInflightRegion(InflightArea area, int size) {
        this.region = area.bytes();
        this.descNum = area.queueSize();
        this.size = size;
        this.next = new char[descNum];
        this.last = new char[descNum];
        this.batch = new char[size];
        this.resubmissions = new PackedInflightResubmission(size);
    }

    /** The size of a region. */
    static long bytes(int queueSize) {
        return DESC + queueSize * DESC_BYTES;
    }

    /**
     * Goes on with the record of a predecessor, or begins one.
     *
     * @param ring the descriptor ring
     * @param size of the virtqueue
     * @param begin where the used descriptors begin if there was no predecessor: an index and its wrap counter
     */
    static PackedInflightRegion open(InflightArea area, MemorySegment ring, int size, int begin)
            throws InvalidVirtqueueException {
        PackedInflightRegion opened = new PackedInflightRegion(area, size);
        if (InflightRegion.hasPredecessor(area, size)) {
            opened.recover(ring);
        } else {
            opened.begin(begin);
            InflightRegion.begin(area);
        }
        return opened;
    }

    private void begin(int at) {
        long[] words = new long[descNum * WORDS];
        for (int entry = 0; entry < descNum; entry++) {
            next[entry] = (char) (entry + 1);
            words[entry * WORDS] = (entry + 1L) << NEXT_SHIFT;
        }
        InflightRegion.setWords(entries(), words);
        region.set(U16, FREE_HEAD, (short) 0);
        region.set(U16, OLD_FREE_HEAD, (short) 0);
        used = at;
        setUsed(at, at);
    }

    // --- "When reconnecting" ---------------------------------------------------------------------------------------

    private void recover(MemorySegment ring) throws InvalidVirtqueueException {
        continued = true;
        finishOrUndo(ring);
        long[] words = InflightRegion.words(entries());
        for (int entry = 0; entry < descNum; entry++) {
            next[entry] = (char) (words[entry * WORDS] >>> NEXT_SHIFT);
            if (next[entry] > descNum) {
                throw corrupt("next " + (int) next[entry]);
            }
        }
        BitSet known = new BitSet(descNum);
        for (int entry = freeHead; entry < descNum; entry = next[entry]) {
            own(entry, known);
            words[entry * WORDS] = InflightRegion.withoutInflight(words[entry * WORDS]);
        }
        InflightRegion.setWords(entries(), words);
        VarHandle.releaseFence();
        findResubmissions(words, known);
        if (known.cardinality() != descNum) {
            throw corrupt("of " + descNum + " entries, " + known.cardinality() + " are free or under way");
        }
    }

    /** By whether the driver can see the first used descriptor of the last batch. */
    private void finishOrUndo(MemorySegment ring) throws InvalidVirtqueueException {
        long both = region.get(U64, USED);
        int current = position(both & 0xffff, both >>> 32);
        int old = position(both >>> 16 & 0xffff, both >>> 40);
        long first = (long) (old & INDEX) * VirtioSpec.DESCRIPTOR_BYTES;
        int flags = Short.toUnsignedInt(ring.get(U16, first + PackedDescriptorChainReader.FLAGS));
        boolean finish = current != old && !PackedDescriptorChainReader.isAvailable(flags, old >>> WRAP_SHIFT != 0);
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

    private void findResubmissions(long[] words, BitSet known) throws InvalidVirtqueueException {
        for (int head : InflightRegion.underWay(words, WORDS, descNum)) {
            counter = words[head * WORDS + COUNTER_WORD] + 1;
            resubmit(words, head, (int) (words[head * WORDS] >>> NUM_SHIFT), known);
        }
        resubmissions.complete();
    }

    private void resubmit(long[] words, int head, int length, BitSet known) throws InvalidVirtqueueException {
        if (length < 1 || length > size - resubmissions.descriptors()) {
            throw corrupt("a list of " + length + " descriptors");
        }
        resubmissions.begin(head, length);
        int entry = head;
        for (int i = 0; i < length; i++) {
            own(entry, known);
            long idFlagsLen = words[entry * WORDS + ID_FLAGS_LEN_WORD];
            int flags = (int) (idFlagsLen >>> FLAGS_SHIFT) & 0xffff;
            boolean more = (flags & VirtioSpec.VIRTQ_DESC_F_NEXT) != 0;
            if (more != (i < length - 1)) {
                throw corrupt("a list of " + length + " descriptors that ends elsewhere");
            }
            resubmissions.add(
                    words[entry * WORDS + ADDR_WORD],
                    (int) (idFlagsLen >>> LEN_SHIFT),
                    (int) idFlagsLen & 0xffff,
                    flags);
            last[head] = (char) entry;
            entry = next[entry];
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

    /** Whether there was a predecessor. */
    boolean isContinued() {
        return continued;
    }

    /** Where the used descriptors go on: an index and its wrap counter. */
    int used() {
        return used;
    }

    /** What a predecessor left under way, which comes before all that is available. */
    PackedInflightResubmission resubmissions() {
        return resubmissions;
    }

    // --- "When receiving available buffers from the driver" --------------------------------------------------------

    /** The buffers of a list of descriptors in the ring are about to be written to. */
    void take(MemorySegment ring, int first, int length) {
        if (resubmissions.hasNext()) {
            taken = resubmissions.head();
            return;
        }
        taken = freeHead;
        long head = desc(taken);
        region.set(U16, head + NUM, (short) length);
        region.set(U64, head + COUNTER, counter++);
        region.set(U8, head + INFLIGHT, (byte) 1);
        int index = first;
        for (int i = 0; i < length; i++) {
            copy(ring, index, freeHead);
            last[taken] = (char) freeHead;
            freeHead = next[freeHead];
            index = index + 1 == size ? 0 : index + 1;
        }
        region.set(U16, head + LAST, (short) last[taken]);
        setFreeHead();
    }

    private void copy(MemorySegment ring, int index, int entry) {
        long from = (long) index * VirtioSpec.DESCRIPTOR_BYTES;
        long to = desc(entry);
        region.set(U64, to + ADDR, ring.get(U64, from));
        region.set(U32, to + LEN, ring.get(U32, from + PackedDescriptorChainReader.LEN));
        region.set(U16, to + FLAGS, ring.get(U16, from + PackedDescriptorChainReader.FLAGS));
        region.set(U16, to + ID, ring.get(U16, from + PackedDescriptorChainReader.ID));
    }

    /** Nothing came of {@link #take}. */
    void giveBack() {
        if (!resubmissions.hasNext()) {
            freeHead = taken;
            setFreeHead();
            region.set(U8, desc(taken) + INFLIGHT, (byte) 0);
        }
    }

    /** The old head is what counts: entries that it does not lead to are under way. */
    private void setFreeHead() {
        VarHandle.releaseFence();
        region.set(U16, FREE_HEAD, (short) freeHead);
        VarHandle.releaseFence();
        region.set(U16, OLD_FREE_HEAD, (short) freeHead);
        VarHandle.releaseFence();
    }

    // --- "When supplying used buffers to the driver" ---------------------------------------------------------------

    /** The list has been used, which is not visible yet: whether it was taken from the ring. */
    boolean use() {
        batch[batched++] = (char) taken;
        return !resubmissions.advance();
    }

    /**
     * All that has been used is about to become visible. Only here do lists become free: one that is taken while others
     * wait for this must not be given their entries.
     */
    void publishing(int newUsed) {
        int free = freeHead;
        for (int i = 0; i < batched; i++) {
            int head = batch[i];
            setNext(last[head], free);
            free = head;
        }
        freeHead = free;
        VarHandle.releaseFence();
        region.set(U16, FREE_HEAD, (short) free);
        VarHandle.releaseFence();
        setUsed(newUsed, used);
        used = newUsed;
        VarHandle.releaseFence();
    }

    /** All that has been used is visible. */
    void published() {
        VarHandle.releaseFence();
        for (int i = 0; i < batched; i++) {
            region.set(U8, desc(batch[i]) + INFLIGHT, (byte) 0);
        }
        VarHandle.releaseFence();
        region.set(U16, OLD_FREE_HEAD, (short) freeHead);
        VarHandle.releaseFence();
        setUsed(used, used);
        VarHandle.releaseFence();
        batched = 0;
    }

    /**
     * One store: an index that has come without its wrap counter would be a position one round away.
     */
    private void setUsed(int current, int old) {
        long indices = (current & INDEX) | (long) (old & INDEX) << 16;
        long wraps = (current >>> WRAP_SHIFT) | (long) (old >>> WRAP_SHIFT) << 8;
        region.set(U64, USED, indices | wraps << 32);
    }

    private void setNext(int entry, int following) {
        next[entry] = (char) following;
        region.set(U16, desc(entry) + NEXT, (short) following);
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
