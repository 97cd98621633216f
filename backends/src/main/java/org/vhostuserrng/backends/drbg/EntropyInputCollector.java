package org.vhostuserrng.backends.drbg;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.vhostuserrng.backends.source.EntropySource;

/**
 * Entropy input on its way: collected from all inputs, step by step, as they have bytes. Each input gives as many as
 * have the needed entropy by themselves, so that the seed is good if any one of them is what it is said to be. Left out
 * is one that fails, one that gives nothing for {@link #PATIENCE_NANOS}, and one that takes longer than that while
 * another is done.
 */
final class EntropyInputCollector {
    /** §10.2.1.3.2 with §8.6.7: 256 bits of entropy, and 128 for the nonce, which here is no secret. */
    static final int BITS_TO_INSTANTIATE = 384;
    /** §10.2.1.4: the security strength. */
    static final int BITS_TO_RESEED = 256;

    static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(2);

    private static final long NEVER = -1;

    /** How far it has come. */
    enum Progress {
        /** The inputs will tell when they have more. */
        NOT_NOW,
        /** None of the inputs has given what is needed. */
        FAILED,
        COMPLETE
    }

    private final List<InputPart> shares = new ArrayList<>();
    private final byte[] material;
    private final MemorySegment staging;
    private long began = NEVER;

    /**
     * Nothing collected yet.
     *
     * @param bits of entropy that are needed
     * @param staging native memory to read into, zero but within {@link #collect}
     */
    EntropyInputCollector(List<DrbgSeedSource> inputs, int bits, MemorySegment staging) {
        this.staging = staging;
        int length = 0;
        for (DrbgSeedSource input : inputs) {
            int end = Math.addExact(length, input.bytesFor(bits));
            shares.add(new InputPart(input, length, end));
            length = end;
        }
        this.material = new byte[length];
    }

    /** Takes what the inputs have. Not to be called any more once {@code COMPLETE} or {@code FAILED}. */
    Progress collect(long now) {
        if (began == NEVER) {
            began = now;
        }
        boolean complete = false;
        for (InputPart share : shares) {
            share.collect(now);
            complete |= share.isComplete();
        }
        boolean patient = !complete || now - began < PATIENCE_NANOS;
        for (InputPart share : shares) {
            if (share.isWaiting()) {
                if (patient) {
                    return Progress.NOT_NOW;
                }
                share.leaveOut();
            }
        }
        return complete ? Progress.COMPLETE : Progress.FAILED;
    }

    /** The entropy input, once {@code COMPLETE}: zeros where an input has been left out. Gone with {@link #wipe}. */
    byte[] entropyInput() {
        return material;
    }

    /** The names of inputs that have been left out. */
    List<String> leftOut() {
        return shares.stream()
                .filter(share -> share.leftOut)
                .map(share -> share.input.name())
                .toList();
    }

    void wipe() {
        Arrays.fill(material, (byte) 0);
    }

    /** What one input gives, its part of the material. */
    private final class InputPart {
        private final DrbgSeedSource input;
        private final int start;
        private final int end;
        private int at;
        /** Since when it has given nothing. */
        private long emptySince = NEVER;

        private boolean leftOut;

        private InputPart(DrbgSeedSource input, int start, int end) {
            this.input = input;
            this.start = start;
            this.end = end;
            this.at = start;
        }

        private boolean isComplete() {
            return at == end;
        }

        private boolean isWaiting() {
            return !leftOut && !isComplete();
        }

        private void collect(long now) {
            while (isWaiting()) {
                int filled = take();
                if (filled > 0) {
                    emptySince = NEVER;
                } else if (filled == EntropySource.NOT_NOW && isPatient(now)) {
                    return;
                } else {
                    leaveOut();
                }
            }
        }

        private int take() {
            int most = (int) Math.min(end - at, staging.byteSize());
            int filled = input.source().fill(staging, 0, most);
            if (filled > 0) {
                MemorySegment.copy(staging, ValueLayout.JAVA_BYTE, 0, material, at, filled);
                staging.fill((byte) 0);
                at += filled;
            }
            return filled;
        }

        private void leaveOut() {
            leftOut = true;
            Arrays.fill(material, start, at, (byte) 0);
            at = start;
        }

        private boolean isPatient(long now) {
            if (emptySince == NEVER) {
                emptySince = now;
            }
            return now - emptySince < PATIENCE_NANOS;
        }
    }
}
