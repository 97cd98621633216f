package org.vhostuserrng.backends.local;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.vhostuserrng.backends.readahead.BlockingEntropySource;
import org.vhostuserrng.backends.readahead.DiscardReadAheadException;
import org.vhostuserrng.backends.sys.RdrandRdseed.Instruction;
import org.vhostuserrng.backends.sys.WakeablePoller;

/**
 * Reads a processor's instruction. Words that defective processors are known for, 0 and all ones, and a word that comes
 * twice in a row, are never passed on: nothing of the batch they came with is.
 */
final class CpuRngSource implements BlockingEntropySource {
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
    /** With reseeding forced, what one read gives: 32 samples, which take a millisecond or two. */
    private static final int MOST_BYTES_RESEEDED = 512;

    private static final int EXHAUSTED_PAUSE_MILLIS = 1;

    private final WordSource source;
    private final Instruction instruction;
    private final boolean reseedForced;
    private final MemorySegment words = Arena.ofAuto().allocate(ValueLayout.JAVA_LONG, WORDS_A_SEED);
    private long last;

    CpuRngSource(WordSource source, Instruction instruction, boolean reseedForced) {
        this.source = source;
        this.instruction = instruction;
        this.reseedForced = reseedForced;
    }

    @Override
    public int read(MemorySegment target, long offset, int length, WakeablePoller waiter) throws IOException {
        int wanted = reseedForced ? Math.min(length, MOST_BYTES_RESEEDED) : length;
        try {
            int bytes = 0;
            boolean exhausted = false;
            while (bytes < wanted && !exhausted) {
                int batch = reseedForced ? WORDS_A_SEED : wordsFor(wanted - bytes);
                int got = source.fill(words, batch);
                refuseDefects(got);
                exhausted = got < batch;
                if (exhausted && instruction == Instruction.RDRAND) {
                    // §5.2.1: so many tries without success in a row mean that the hardware has failed.
                    throw new IOException("defective: it gave nothing, however often it was tried");
                }
                bytes += copy(got, target, offset + bytes, wanted - bytes);
            }
            if (bytes == 0) {
                waiter.await(EXHAUSTED_PAUSE_MILLIS);
            }
            return bytes;
        } finally {
            words.fill((byte) 0);
        }
    }

    private static int wordsFor(int bytes) {
        return Math.min(BATCH_WORDS, (bytes + Long.BYTES - 1) / Long.BYTES);
    }

    /** Copies what is to be used of a batch, which is its end. */
    private int copy(int got, MemorySegment target, long offset, int room) {
        int used = got;
        if (reseedForced) {
            used = got < WORDS_A_SEED ? 0 : SAMPLE_WORDS;
        }
        int bytes = Math.min(room, used * Long.BYTES);
        MemorySegment.copy(words, (long) (got - used) * Long.BYTES, target, offset, bytes);
        return bytes;
    }

    private void refuseDefects(int count) throws IOException {
        for (int i = 0; i < count; i++) {
            long word = words.getAtIndex(ValueLayout.JAVA_LONG, i);
            if (word == 0 || word == -1 || word == last) {
                throw new DiscardReadAheadException("defective: it gave the word " + Long.toHexString(word)
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
