package org.vhostuserrng.device.virtqueue;

import static org.vhostuserrng.device.virtqueue.InflightRegion.U16;
import static org.vhostuserrng.device.virtqueue.InflightRegion.U64;
import static org.vhostuserrng.device.virtqueue.InflightRegion.U8;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;
import org.vhostuserrng.transport.virtio.InflightArea;
import org.vhostuserrng.transport.virtio.InvalidVirtqueueException;

/**
 * The record of the requests under way of a split virtqueue: QueueRegionSplit of the vhost-user document, "Inflight I/O
 * tracking". Whatever moment a process ends at, the record it leaves tells its successor which buffers are to be served
 * again: those taken from the available ring whose use the driver cannot see.
 *
 * <p>The front-end has the memory too. What a predecessor left is read once, by {@link #open}, and can at worst have a
 * guest's own buffers served wrongly; after that this only writes. Stores are plain and in the document's order, kept
 * apart by fences: a process that is killed leaves behind a beginning of them.
 */
final class SplitInflightRegion {
    // typedef struct QueueRegionSplit { uint64_t features; uint16_t version; uint16_t desc_num;
    //     uint16_t last_batch_head; uint16_t used_idx; DescStateSplit desc[]; } QueueRegionSplit;
    private static final long LAST_BATCH_HEAD = 12;
    private static final long USED_IDX = 14;
    private static final long DESC = 16;
    // typedef struct DescStateSplit { uint8_t inflight; uint8_t padding[5]; uint16_t next; uint64_t counter; };
    private static final long INFLIGHT = 0;
    private static final long NEXT = 6;
    private static final long COUNTER = 8;
    private static final long DESC_BYTES = 16;
    private static final int WORDS = 2;
    private static final int COUNTER_WORD = 1;
    private static final int NEXT_SHIFT = 48;

    private final MemorySegment region;
    /** Heads whose use is not visible yet. */
    private final char[] batch;

    private int batched;
    private int lastBatchHead;
    private long counter;

    /** Heads that the predecessor left under way, in the order in which it took them. */
    private int[] resubmitted = {};

    private int resubmittedSoFar;
    private boolean continued;

    private SplitInflightRegion(MemorySegment region, int size) {
        this.region = region;
        this.batch = new char[size];
    }

    /** The size of a region. */
    static long bytes(int queueSize) {
        return DESC + queueSize * DESC_BYTES;
    }

    /**
     * Goes on with the record of a predecessor, or begins one.
     *
     * @param size of the virtqueue
     * @param usedIdx what its used ring says
     */
    static SplitInflightRegion open(InflightArea area, int size, int usedIdx) throws InvalidVirtqueueException {
        SplitInflightRegion opened = new SplitInflightRegion(area.bytes(), size);
        if (InflightRegion.hasPredecessor(area, size)) {
            opened.recover(usedIdx);
        } else {
            opened.begin(area.queueSize(), usedIdx);
            InflightRegion.begin(area);
        }
        return opened;
    }

    private void begin(int descNum, int usedIdx) {
        region.asSlice(DESC, descNum * DESC_BYTES).fill((byte) 0);
        region.set(U16, LAST_BATCH_HEAD, (short) 0);
        region.set(U16, USED_IDX, (short) usedIdx);
    }

    // --- "When reconnecting" ---------------------------------------------------------------------------------------

    private void recover(int usedIdx) {
        continued = true;
        int size = batch.length;
        lastBatchHead = Short.toUnsignedInt(region.get(U16, LAST_BATCH_HEAD));
        // Between the used ring's idx and used_idx the predecessor may not have cleared all of its last batch.
        int left = (usedIdx - region.get(U16, USED_IDX)) & 0xffff;
        MemorySegment entries = region.asSlice(DESC, size * DESC_BYTES);
        long[] words = InflightRegion.words(entries);
        if (left > 0) {
            clearLastBatch(words, Math.min(left, size));
            InflightRegion.setWords(entries, words);
        }
        VarHandle.releaseFence();
        region.set(U16, USED_IDX, (short) usedIdx);
        VarHandle.releaseFence();
        resubmitted = InflightRegion.underWay(words, WORDS, size);
        if (resubmitted.length > 0) {
            counter = words[resubmitted[resubmitted.length - 1] * WORDS + COUNTER_WORD] + 1;
        }
    }

    private void clearLastBatch(long[] words, int heads) {
        int head = lastBatchHead;
        for (int left = heads; left > 0 && head < batch.length; left--) {
            long word = words[head * WORDS];
            words[head * WORDS] = InflightRegion.withoutInflight(word);
            head = (int) (word >>> NEXT_SHIFT);
        }
    }

    /** Whether there was a predecessor. */
    boolean isContinued() {
        return continued;
    }

    /** The heads that a predecessor left under way, in the order in which it took them. */
    int[] resubmitted() {
        return resubmitted;
    }

    /**
     * Gives back all that is to be resubmitted: it is to be found in the available ring again. The last one first: who
     * finds only some of them under way takes those to be the first ones.
     */
    void giveAllBack() {
        for (int i = resubmitted.length - 1; i >= 0; i--) {
            clear(resubmitted[i]);
            VarHandle.releaseFence();
        }
        resubmitted = new int[0];
    }

    /** Whether {@link #nextResubmitted} comes before all that is available. */
    boolean resubmits() {
        return resubmittedSoFar < resubmitted.length;
    }

    int nextResubmitted() {
        return resubmitted[resubmittedSoFar];
    }

    // --- "When receiving available buffers from the driver" --------------------------------------------------------

    /** Whether as much has been used as the driver can have made available: first that has to become visible. */
    boolean isFull() {
        return batched == batch.length;
    }

    /** A buffer is about to be written to. */
    void take(int head) {
        if (resubmits()) {
            return;
        }
        region.set(U64, desc(head) + COUNTER, counter++);
        VarHandle.releaseFence();
        region.set(U8, desc(head) + INFLIGHT, (byte) 1);
        VarHandle.releaseFence();
    }

    /** Nothing came of {@link #take}. */
    void giveBack(int head) {
        if (!resubmits()) {
            clear(head);
        }
    }

    // --- "When supplying used buffers to the driver" ---------------------------------------------------------------

    /** A buffer has been used, which is not visible yet: whether it was taken from the available ring. */
    boolean use(int head) {
        region.set(U16, desc(head) + NEXT, (short) lastBatchHead);
        VarHandle.releaseFence();
        region.set(U16, LAST_BATCH_HEAD, (short) head);
        lastBatchHead = head;
        batch[batched++] = (char) head;
        if (resubmits()) {
            resubmittedSoFar++;
            return false;
        }
        return true;
    }

    /** All that has been used is visible. */
    void published(int usedIdx) {
        VarHandle.releaseFence();
        for (int i = 0; i < batched; i++) {
            clear(batch[i]);
        }
        VarHandle.releaseFence();
        region.set(U16, USED_IDX, (short) usedIdx);
        VarHandle.releaseFence();
        batched = 0;
    }

    private void clear(int head) {
        region.set(U8, desc(head) + INFLIGHT, (byte) 0);
    }

    private static long desc(int head) {
        return DESC + head * DESC_BYTES;
    }
}
