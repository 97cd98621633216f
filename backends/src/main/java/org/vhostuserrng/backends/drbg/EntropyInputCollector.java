package org.vhostuserrng.backends.drbg;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.vhostuserrng.backends.source.EntropySource;

/**
 * Collects the entropy input of one seed from all seed sources, without blocking. Each source contributes the full
 * amount of entropy, so that the seed is good if at least one source has its stated min-entropy.
 *
 * <p>The input is complete when all sources have contributed. If one source suffices, another one is omitted when it
 * fails, when it returns nothing for {@link #INPUT_TIMEOUT_NANOS}, or when it is incomplete this long after the start
 * although another source is complete. Confined to one thread.
 */
final class EntropyInputCollector {
    /** SP 800-90Ar1 §10.2.1.3.2: 256 bits of entropy, plus 128 bits in place of a random nonce (§8.6.7). */
    static final int INSTANTIATE_BITS = 384;
    /** SP 800-90Ar1 §10.2.1.4: the entropy of a reseed is the security strength. */
    static final int RESEED_BITS = 256;

    static final long INPUT_TIMEOUT_NANOS = TimeUnit.SECONDS.toNanos(2);

    private static final long NEVER = -1;

    /** Result of {@link #collect}. */
    enum Progress {
        /** A source has no bytes at the moment. It notifies the event loop when it has bytes. */
        WOULD_BLOCK,
        /**
         * A source that is needed has failed. If all sources are needed, the collected bytes are kept for the next
         * call. If one suffices, all have failed, and this collector must not be used again.
         */
        FAILED,
        COMPLETE
    }

    private final List<InputPart> parts = new ArrayList<>();
    private final byte[] entropyInput;
    private final MemorySegment staging;
    private final boolean anySuffices;
    private long startedAt = NEVER;

    /**
     * Creates a collector that has collected nothing.
     *
     * @param bits entropy in bits that each source must contribute
     * @param staging native memory into which sources are read; zero except during {@link #collect}
     * @param anySuffices whether sources may be omitted if at least one is complete
     */
    EntropyInputCollector(List<DrbgSeedSource> inputs, int bits, MemorySegment staging, boolean anySuffices) {
        this.staging = staging;
        this.anySuffices = anySuffices;
        int length = 0;
        for (DrbgSeedSource input : inputs) {
            int end = Math.addExact(length, input.bytesFor(bits));
            parts.add(new InputPart(input, length, end));
            length = end;
        }
        this.entropyInput = new byte[length];
    }

    /** Reads the bytes that the sources have now. Must not be called after it has returned {@code COMPLETE}. */
    Progress collect(long now) {
        if (startedAt == NEVER) {
            startedAt = now;
        }
        for (InputPart part : parts) {
            part.collect(now);
        }
        return anySuffices ? progressOfAny(now) : progressOfAll();
    }

    private Progress progressOfAll() {
        boolean allComplete = true;
        for (InputPart part : parts) {
            if (part.failed) {
                return Progress.FAILED;
            }
            allComplete &= part.isComplete();
        }
        return allComplete ? Progress.COMPLETE : Progress.WOULD_BLOCK;
    }

    private Progress progressOfAny(long now) {
        boolean anyComplete = false;
        for (InputPart part : parts) {
            anyComplete |= part.isComplete();
        }
        boolean mayWait = !anyComplete || !isOverdue(now);
        for (InputPart part : parts) {
            if (part.isPending()) {
                if (mayWait) {
                    return Progress.WOULD_BLOCK;
                }
                part.omit();
            }
        }
        return anyComplete ? Progress.COMPLETE : Progress.FAILED;
    }

    /** Returns whether {@link #INPUT_TIMEOUT_NANOS} have passed since the first {@link #collect}. */
    boolean isOverdue(long now) {
        return now - startedAt >= INPUT_TIMEOUT_NANOS;
    }

    /**
     * Returns the entropy input after {@code COMPLETE}, with zeros in place of omitted sources. Valid until
     * {@link #wipe}.
     */
    byte[] entropyInput() {
        return entropyInput;
    }

    /**
     * Returns the names of the sources that have not contributed: the omitted ones if one source suffices, otherwise
     * the incomplete ones.
     */
    List<String> missingInputs() {
        return parts.stream()
                .filter(part -> anySuffices ? part.omitted : !part.isComplete())
                .map(part -> part.input.name())
                .toList();
    }

    void wipe() {
        Arrays.fill(entropyInput, (byte) 0);
    }

    /** The part of the entropy input that one source provides. */
    private final class InputPart {
        private final DrbgSeedSource input;
        private final int start;
        private final int end;
        private int writeIndex;
        /** The time since which the source has returned nothing; {@link #NEVER} if its last read returned bytes. */
        private long emptySince = NEVER;

        private boolean omitted;
        /** Whether the last read has failed, for a source that must not be omitted. */
        private boolean failed;

        private InputPart(DrbgSeedSource input, int start, int end) {
            this.input = input;
            this.start = start;
            this.end = end;
            this.writeIndex = start;
        }

        private boolean isComplete() {
            return writeIndex == end;
        }

        private boolean isPending() {
            return !omitted && !isComplete();
        }

        private void collect(long now) {
            failed = false;
            while (isPending() && !failed) {
                int filled = read();
                if (filled > 0) {
                    emptySince = NEVER;
                } else if (filled == EntropySource.WOULD_BLOCK && (!anySuffices || withinTimeout(now))) {
                    return;
                } else if (anySuffices) {
                    omit();
                } else {
                    failed = true;
                }
            }
        }

        private int read() {
            int length = (int) Math.min(end - writeIndex, staging.byteSize());
            int filled = input.source().fill(staging, 0, length);
            if (filled > 0) {
                MemorySegment.copy(staging, ValueLayout.JAVA_BYTE, 0, entropyInput, writeIndex, filled);
                staging.fill((byte) 0);
                writeIndex += filled;
            }
            return filled;
        }

        private void omit() {
            omitted = true;
            Arrays.fill(entropyInput, start, writeIndex, (byte) 0);
            writeIndex = start;
        }

        private boolean withinTimeout(long now) {
            if (emptySince == NEVER) {
                emptySince = now;
            }
            return now - emptySince < INPUT_TIMEOUT_NANOS;
        }
    }
}
