package org.vhostuserrng.backends;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.vhostuserrng.backends.sys.Waiter;

/**
 * Reads a processor's instruction. Words that defective processors are known for, 0 and all ones, and a word that comes
 * twice in a row, are never passed on: nothing of the batch they came with is.
 */
final class CpuReader implements RawSource {
    /** The instruction: fills a segment with so many words, and returns how many it could. */
    @FunctionalInterface
    interface WordSource {
        int fill(MemorySegment target, int words);
    }

    /** Small enough not to keep the instruction from others for long. */
    private static final int BATCH_WORDS = 64;

    /**
     * DRNG Software Implementation Guide §5.2.5: at most 511 samples of 128 bits are of one seed, so each sample that is
     * to have a seed of its own is the last one of 512.
     */
    private static final int WORDS_A_SEED = 2 * 512;

    private static final int SAMPLE_WORDS = 2;
    private static final int EXHAUSTED_PAUSE_MILLIS = 1;

    private final WordSource instruction;
    private final boolean reseedForced;
    private final Arena arena = Arena.ofAuto();
    private final MemorySegment words = arena.allocate(ValueLayout.JAVA_LONG, WORDS_A_SEED);
    private long last;

    CpuReader(WordSource instruction, boolean reseedForced) {
        this.instruction = instruction;
        this.reseedForced = reseedForced;
    }

    @Override
    public int read(MemorySegment target, long offset, int length, Waiter waiter) throws IOException {
        int wanted = reseedForced ? WORDS_A_SEED : Math.min(BATCH_WORDS, (length + Long.BYTES - 1) / Long.BYTES);
        try {
            int got = instruction.fill(words, wanted);
            refuseDefects(got);
            if (got == 0 || (reseedForced && got < wanted)) {
                waiter.await(EXHAUSTED_PAUSE_MILLIS);
                return NOTHING;
            }
            int used = reseedForced ? SAMPLE_WORDS : got;
            int bytes = Math.min(length, used * Long.BYTES);
            MemorySegment.copy(words, (long) (got - used) * Long.BYTES, target, offset, bytes);
            return bytes;
        } finally {
            words.fill((byte) 0);
        }
    }

    private void refuseDefects(int count) throws IOException {
        for (int i = 0; i < count; i++) {
            long word = words.getAtIndex(ValueLayout.JAVA_LONG, i);
            if (word == 0 || word == -1 || word == last) {
                throw new IOException("defective: it gave the word " + Long.toHexString(word)
                        + (word == last ? " twice in a row" : ""));
            }
            last = word;
        }
    }

    @Override
    public void close() {
        last = 0;
    }
}
