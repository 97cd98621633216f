package org.vhostuserrng.backends.readahead;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.LongStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.vhostuserrng.backends.source.EntropySource;
import org.vhostuserrng.backends.source.EntropySourceSpec;
import org.vhostuserrng.backends.source.FailoverSourceSpec;
import org.vhostuserrng.backends.source.SourceRegistry;
import org.vhostuserrng.backends.sys.WakeablePoller;

/**
 * Tests that no byte is served twice or to two guests: reads unique words through block pools, health tests, failures,
 * failover, and rings that stop and start. The seed determines a run, except for the timing of threads.
 */
class NoByteServedTwiceTest {
    private static final int STEPS = 4000;
    private static final int MIN_WORDS = 100;
    private static final long HANG_NANOS = TimeUnit.SECONDS.toNanos(60);
    private static final int GUESTS = 4;

    static LongStream seeds() {
        return LongStream.range(0, 8);
    }

    /** A source of unique words that look random. It sometimes fails or gets stuck. */
    private static final class TaggedSourceSpec extends ReadAheadSourceSpec {
        private final String name;
        private final long space;
        private final int faultEvery;
        private final AtomicLong next = new AtomicLong();

        TaggedSourceSpec(String name, long space, int faultEvery) {
            super(NoiseSourceOptions.NONE);
            this.name = name;
            this.space = space;
            this.faultEvery = faultEvery;
        }

        @Override
        public String toString() {
            return name;
        }

        @Override
        public void probe() {}

        @Override
        protected double defaultMinEntropy() {
            return 4;
        }

        @Override
        protected BlockingEntropySource openBlocking() {
            return new TaggedReader();
        }

        /** Returns the next word. The mapping is a bijection, so that words are unique. */
        private long word() {
            long word = space | next.getAndIncrement();
            word = (word ^ (word >>> 30)) * 0xbf58_476d_1ce4_e5b9L;
            word = (word ^ (word >>> 27)) * 0x94d0_49bb_1331_11ebL;
            return word ^ (word >>> 31);
        }

        private final class TaggedReader implements BlockingEntropySource {
            private int reads;

            @Override
            public int read(MemorySegment target, long offset, int length, WakeablePoller poller) throws IOException {
                reads++;
                if (reads % faultEvery == faultEvery - 1) {
                    throw new IOException("unplugged");
                }
                int bytes = Math.min(length, 8 * (1 + reads % 100));
                for (int at = 0; at < bytes; at += Long.BYTES) {
                    target.set(ValueLayout.JAVA_LONG_UNALIGNED, offset + at, word());
                }
                if (reads % faultEvery == faultEvery / 2) {
                    target.asSlice(offset, bytes).fill((byte) reads);
                }
                return bytes;
            }

            @Override
            public void close() {
                reads = 0;
            }
        }
    }

    @ParameterizedTest(name = "seed {0}")
    @MethodSource("seeds")
    void noWordIsServedTwice(long seed) {
        Random random = new Random(seed);
        EntropySourceSpec spec = FailoverSourceSpec.firstOf(List.of(
                new TaggedSourceSpec("first", 1L << 62, 20 + random.nextInt(100)),
                new TaggedSourceSpec("second", 1L << 61, 100 + random.nextInt(1000))));
        SourceRegistry sources = new SourceRegistry(spec, () -> {}, System::nanoTime);
        List<EntropySource> guests = new ArrayList<>();
        for (int i = 0; i < GUESTS; i++) {
            guests.add(sources.open("guest " + i));
        }
        Set<Long> seen = new HashSet<>();
        boolean unique = true;

        long deadline = System.nanoTime() + HANG_NANOS;
        // Continues until there are enough words: on a slow machine, the read-ahead threads may provide nothing during
        // the first steps.
        for (int step = 0; step < STEPS || seen.size() <= MIN_WORDS; step++) {
            assertTrue(System.nanoTime() - deadline < 0, () -> "only " + seen.size() + " words");
            int guest = random.nextInt(GUESTS);
            if (random.nextInt(50) == 0) {
                guests.get(guest).close();
                guests.set(guest, sources.open("guest " + guest));
            }
            unique &= readWords(guests.get(guest), 8 * (1 + random.nextInt(200)), seen);
        }
        guests.forEach(EntropySource::close);

        assertTrue(unique, "a word was served twice");
    }

    /** Reads words. Returns whether all of them are new. */
    private static boolean readWords(EntropySource guest, int length, Set<Long> seen) {
        MemorySegment target = Arena.ofAuto().allocate(length);
        int filled = guest.fill(target, 0, length);
        if (filled <= 0) {
            sleepAMoment();
            return true;
        }
        boolean unique = true;
        for (int at = 0; at + Long.BYTES <= filled; at += Long.BYTES) {
            unique &= seen.add(target.get(ValueLayout.JAVA_LONG_UNALIGNED, at));
        }
        return unique;
    }

    /** Lets the read-ahead threads run. */
    private static void sleepAMoment() {
        try {
            TimeUnit.MICROSECONDS.sleep(100);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
