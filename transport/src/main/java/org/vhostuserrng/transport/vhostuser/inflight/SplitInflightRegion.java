package org.vhostuserrng.transport.vhostuser.inflight;

import static org.vhostuserrng.transport.vhostuser.inflight.InflightRegion.U16;
import static org.vhostuserrng.transport.vhostuser.inflight.InflightRegion.U64;
import static org.vhostuserrng.transport.vhostuser.inflight.InflightRegion.U8;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;
import java.util.Arrays;
import java.util.function.IntUnaryOperator;
import org.vhostuserrng.transport.virtio.InvalidVirtqueueException;
import org.vhostuserrng.transport.virtio.SplitInflightTracker;

/**
 * QueueRegionSplit (vhost-user, "Inflight I/O tracking"): the in-flight requests of a split virtqueue. At any instant,
 * the next process can read from the region which heads to resubmit: those that were popped from the available ring,
 * and whose used elements the driver cannot see.
 *
 * <p>The front-end shares the memory. A forged record of a previous process can at worst make the device write to the
 * guest's own buffers. Stores are plain, in the order of the vhost-user document, and separated by fences, so that at
 * any instant a prefix of the sequence of stores is visible to the next process.
 */
final class SplitInflightRegion implements SplitInflightTracker {
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
    private static final int MIN_BATCH = 64;
    private static final int NEXT_SHIFT = 48;

    private final MemorySegment region;
    private final int size;
    private final InflightResubmissions resubmissions;
    /** Heads whose used elements are not published yet. Grows with the batches of the device. */
    private char[] batch = new char[MIN_BATCH];

    private int batchSize;
    private int lastBatchHead;
    private long counter;

    private boolean resumed;

    private SplitInflightRegion(MemorySegment region, int size) {
        this.region = region;
        this.size = size;
        this.resubmissions = new InflightResubmissions(region.asSlice(DESC, size * DESC_BYTES), WORDS);
    }

    static long bytesFor(int queueSize) {
        return DESC + queueSize * DESC_BYTES;
    }

    static SplitInflightRegion open(InflightRegion header, int size, int usedIdx, IntUnaryOperator headAt)
            throws InvalidVirtqueueException {
        SplitInflightRegion opened = new SplitInflightRegion(header.bytes(), size);
        if (header.hasPredecessor(size)) {
            opened.recover(usedIdx, headAt);
        } else {
            opened.initialize(header.queueSize(), usedIdx);
            header.begin();
        }
        return opened;
    }

    private void initialize(int descNum, int usedIdx) {
        region.asSlice(DESC, descNum * DESC_BYTES).fill((byte) 0);
        region.set(U16, LAST_BATCH_HEAD, (short) 0);
        region.set(U16, USED_IDX, (short) usedIdx);
    }

    // --- "When reconnecting" ---------------------------------------------------------------------------------------

    private void recover(int usedIdx, IntUnaryOperator headAt) {
        resumed = true;
        lastBatchHead = Short.toUnsignedInt(region.get(U16, LAST_BATCH_HEAD));
        // If used_idx is less than the idx field of the used ring, the previous process has not cleared all entries of
        // its last batch.
        int uncleared = (usedIdx - region.get(U16, USED_IDX)) & 0xffff;
        MemorySegment entries = region.asSlice(DESC, size * DESC_BYTES);
        long[] words = InflightRegion.readWords(entries);
        if (uncleared > 0) {
            clearLastBatch(words, Math.min(uncleared, size));
            InflightRegion.writeWords(entries, words);
        }
        VarHandle.releaseFence();
        region.set(U16, USED_IDX, (short) usedIdx);
        VarHandle.releaseFence();
        int[] inflight = InflightRegion.inflightEntries(words, WORDS, size);
        if (inflight.length > 0) {
            counter = words[inflight[inflight.length - 1] * WORDS + InflightRegion.COUNTER_WORD] + 1;
        }
        if (areAvailable(inflight, usedIdx, headAt)) {
            undo(inflight);
        } else {
            resubmissions.begin(words, inflight);
        }
    }

    /** Returns whether the heads are the next ones in the available ring, in the same order. */
    private static boolean areAvailable(int[] heads, int usedIdx, IntUnaryOperator headAt) {
        for (int i = 0; i < heads.length; i++) {
            if (headAt.applyAsInt(usedIdx + i) != heads[i]) {
                return false;
            }
        }
        return true;
    }

    /**
     * Marks heads as not in flight, the last one first: if this process ends in between, the heads that are still in
     * flight are the first ones in the available ring.
     */
    private void undo(int[] inflight) {
        for (int i = inflight.length - 1; i >= 0; i--) {
            clear(inflight[i]);
            VarHandle.releaseFence();
        }
    }

    private void clearLastBatch(long[] words, int heads) {
        int head = lastBatchHead;
        for (int left = heads; left > 0 && head < size; left--) {
            long word = words[head * WORDS];
            words[head * WORDS] = InflightRegion.withoutInflight(word);
            head = (int) (word >>> NEXT_SHIFT);
        }
    }

    @Override
    public boolean isResumed() {
        return resumed;
    }

    @Override
    public int resubmittedCount() {
        return resubmissions.left();
    }

    @Override
    public boolean hasResubmitted() {
        return resubmissions.hasNext();
    }

    @Override
    public int nextResubmitted() {
        return resubmissions.head();
    }

    // --- "When receiving available buffers from the driver" --------------------------------------------------------

    @Override
    public boolean isFull() {
        return batchSize == size;
    }

    @Override
    public void markInflight(int head) {
        if (hasResubmitted()) {
            return;
        }
        region.set(U64, desc(head) + COUNTER, counter++);
        VarHandle.releaseFence();
        region.set(U8, desc(head) + INFLIGHT, (byte) 1);
        VarHandle.releaseFence();
    }

    @Override
    public void unmarkInflight(int head) {
        if (!hasResubmitted()) {
            clear(head);
        }
    }

    // --- "When supplying used buffers to the driver" ---------------------------------------------------------------

    @Override
    public boolean addUsed(int head) {
        region.set(U16, desc(head) + NEXT, (short) lastBatchHead);
        VarHandle.releaseFence();
        region.set(U16, LAST_BATCH_HEAD, (short) head);
        lastBatchHead = head;
        if (batchSize == batch.length) {
            batch = Arrays.copyOf(batch, 2 * batchSize);
        }
        batch[batchSize++] = (char) head;
        return !resubmissions.advance();
    }

    @Override
    public void published(int usedIdx) {
        VarHandle.releaseFence();
        for (int i = 0; i < batchSize; i++) {
            clear(batch[i]);
        }
        VarHandle.releaseFence();
        region.set(U16, USED_IDX, (short) usedIdx);
        VarHandle.releaseFence();
        batchSize = 0;
    }

    private void clear(int head) {
        region.set(U8, desc(head) + INFLIGHT, (byte) 0);
    }

    private static long desc(int head) {
        return DESC + head * DESC_BYTES;
    }
}
