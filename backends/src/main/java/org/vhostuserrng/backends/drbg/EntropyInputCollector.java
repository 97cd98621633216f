package org.vhostuserrng.backends.drbg;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.vhostuserrng.backends.source.EntropySource;

/**
 * Collects the entropy input of one seed from all seed sources, without blocking. Every source contributes the full
 * amount of entropy, so that the seed is good if any one source is as good as stated.
 *
 * <p>A source is omitted if it fails, if it returns nothing for {@link #INPUT_TIMEOUT_NANOS}, or if it is still
 * incomplete that long after the start while another source is complete. Confined to one thread.
 */
final class EntropyInputCollector {
    /** SP 800-90Ar1 §10.2.1.3.2: 256 bits of entropy, plus 128 because the nonce (§8.6.7) is not secret here. */
    static final int INSTANTIATE_BITS = 384;
    /** §10.2.1.4: the security strength. */
    static final int RESEED_BITS = 256;

    static final long INPUT_TIMEOUT_NANOS = TimeUnit.SECONDS.toNanos(2);

    private static final long NEVER = -1;

    /** Result of {@link #collect}. */
    enum Progress {
        /** A source has no bytes now; it notifies the event loop when bytes are available. */
        WOULD_BLOCK,
        /** No source has provided enough entropy. */
        FAILED,
        COMPLETE
    }

    private final List<InputPart> parts = new ArrayList<>();
    private final byte[] entropyInput;
    private final MemorySegment staging;
    private long startedAt = NEVER;

    /**
     * Creates a collector that has collected nothing.
     *
     * @param bits entropy needed from each source
     * @param staging native memory to read into; zero except during {@link #collect}
     */
    EntropyInputCollector(List<DrbgSeedSource> inputs, int bits, MemorySegment staging) {
        this.staging = staging;
        int length = 0;
        for (DrbgSeedSource input : inputs) {
            int end = Math.addExact(length, input.bytesFor(bits));
            parts.add(new InputPart(input, length, end));
            length = end;
        }
        this.entropyInput = new byte[length];
    }

    /** Reads the bytes that the sources have now. Must not be called again after {@code COMPLETE} or {@code FAILED}. */
    Progress collect(long now) {
        if (startedAt == NEVER) {
            startedAt = now;
        }
        boolean anyComplete = false;
        for (InputPart part : parts) {
            part.collect(now);
            anyComplete |= part.isComplete();
        }
        boolean mayWait = !anyComplete || now - startedAt < INPUT_TIMEOUT_NANOS;
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

    /** The entropy input after {@code COMPLETE}; zeros in place of omitted sources. Valid until {@link #wipe}. */
    byte[] entropyInput() {
        return entropyInput;
    }

    /** Names of the omitted sources. */
    List<String> omittedInputs() {
        return parts.stream()
                .filter(part -> part.omitted)
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
        /** Time since which the source has returned nothing. */
        private long emptySince = NEVER;

        private boolean omitted;

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
            while (isPending()) {
                int filled = read();
                if (filled > 0) {
                    emptySince = NEVER;
                } else if (filled == EntropySource.WOULD_BLOCK && withinTimeout(now)) {
                    return;
                } else {
                    omit();
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
