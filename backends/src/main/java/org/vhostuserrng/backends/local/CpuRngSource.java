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
 * Reads RDRAND or RDSEED. Fails if a batch of words contains one that defective processors are known to return: 0, all
 * ones, or the same word twice in a row. Such a batch is discarded.
 */
final class CpuRngSource implements BlockingEntropySource {
    /** Fills a segment with up to {@code words} random words, and returns their number. */
    @FunctionalInterface
    interface RandomWordFiller {
        int fill(MemorySegment target, int words);
    }

    /** Maximum number of words of a batch, because all cores share the generator. */
    private static final int BATCH_WORDS = 64;

    /**
     * Intel DRNG Software Implementation Guide §5.2.5: at most 511 samples of 128 bits are generated from one seed, so
     * 512 samples include at least one reseed.
     */
    private static final int WORDS_PER_RESEED = 2 * 512;

    private static final int SAMPLE_WORDS = 2;
    /** Maximum number of bytes of one read with forced reseeding: 32 samples, which take one or two milliseconds. */
    private static final int MAX_RESEEDED_BYTES = 512;

    private static final int EXHAUSTED_RETRY_MILLIS = 1;

    private final RandomWordFiller filler;
    private final Instruction instruction;
    private final boolean reseedForced;
    private final MemorySegment words = Arena.ofAuto().allocate(ValueLayout.JAVA_LONG, WORDS_PER_RESEED);
    private long last;

    CpuRngSource(RandomWordFiller filler, Instruction instruction, boolean reseedForced) {
        this.filler = filler;
        this.instruction = instruction;
        this.reseedForced = reseedForced;
    }

    @Override
    public int read(MemorySegment target, long offset, int length, WakeablePoller poller) throws IOException {
        int wanted = reseedForced ? Math.min(length, MAX_RESEEDED_BYTES) : length;
        try {
            int bytes = 0;
            boolean exhausted = false;
            while (bytes < wanted && !exhausted) {
                int batch = reseedForced ? WORDS_PER_RESEED : wordsFor(wanted - bytes);
                int count = filler.fill(words, batch);
                rejectDefectiveWords(count);
                exhausted = count < batch;
                if (exhausted && instruction == Instruction.RDRAND) {
                    // §5.2.1: RDRAND must be considered defective if all retries fail.
                    throw new IOException("defective: all retries failed");
                }
                bytes += copy(count, target, offset + bytes, wanted - bytes);
            }
            if (bytes == 0) {
                poller.sleep(EXHAUSTED_RETRY_MILLIS);
            }
            return bytes;
        } finally {
            words.fill((byte) 0);
        }
    }

    private static int wordsFor(int bytes) {
        return Math.min(BATCH_WORDS, (bytes + Long.BYTES - 1) / Long.BYTES);
    }

    /** Copies the usable words of a batch, which are at its end. Returns the number of bytes. */
    private int copy(int count, MemorySegment target, long offset, int room) {
        int used = count;
        if (reseedForced) {
            used = count < WORDS_PER_RESEED ? 0 : SAMPLE_WORDS;
        }
        int bytes = Math.min(room, used * Long.BYTES);
        MemorySegment.copy(words, (long) (count - used) * Long.BYTES, target, offset, bytes);
        return bytes;
    }

    private void rejectDefectiveWords(int count) throws IOException {
        for (int i = 0; i < count; i++) {
            long word = words.getAtIndex(ValueLayout.JAVA_LONG, i);
            if (word == 0 || word == -1 || word == last) {
                throw new DiscardReadAheadException("defective: it returned the word " + Long.toHexString(word)
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
