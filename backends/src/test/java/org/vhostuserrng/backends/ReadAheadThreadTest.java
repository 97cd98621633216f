package org.vhostuserrng.backends;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.backends.EntropySource.FAILED;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.vhostuserrng.backends.sys.WakeablePoller;

/** A source read ahead by a thread, with health tests: what reaches those who are served. */
class ReadAheadThreadTest {
    private static final long PATIENCE_SECONDS = 120;
    private static final byte[] FAILURE = {};

    private final Semaphore nudged = new Semaphore(0);
    private final ScriptedSource script = new ScriptedSource();
    private final SourceFailureCounters counters = new SourceFailureCounters();
    private final SeenSequenceHashes memory =
            new SeenSequenceHashes(new Random(99).longs(SeenSequenceHashes.KEYS).toArray());
    private EntropySource source;

    /** Gives what the test has put in, a chunk for each read. */
    private static final class ScriptedSource implements BlockingEntropySource {
        private final BlockingQueue<byte[]> chunks = new ArrayBlockingQueue<>(1000);
        /** Once there is no chunk any more. */
        private volatile boolean atEnd;

        private final Semaphore closings = new Semaphore(0);

        @Override
        public int read(MemorySegment target, long offset, int length, WakeablePoller waiter) throws IOException {
            byte[] chunk = chunks.poll();
            if (chunk == null && atEnd) {
                return END;
            }
            if (chunk == null) {
                waiter.await(1);
                return NOTHING;
            }
            if (chunk.length == 0) {
                throw new IOException("unplugged");
            }
            MemorySegment.copy(chunk, 0, target, ValueLayout.JAVA_BYTE, offset, chunk.length);
            return chunk.length;
        }

        @Override
        public void close() {
            chunks.clear();
            closings.release();
        }
    }

    private void start(double minEntropy) throws IOException {
        NoiseHealthTester tests = minEntropy == 0 ? null : new NoiseHealthTester(minEntropy, memory);
        source = new ReadAheadSource("scripted", script, tests, counters, nudged::release);
    }

    @AfterEach
    void close() {
        source.close();
    }

    private static byte[] random(long seed, int length) {
        byte[] bytes = new byte[length];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    /** The outcome of asking for bytes, once it is another one than NOT_NOW. */
    private int ask(MemorySegment target) throws InterruptedException {
        int filled = source.fill(target, 0, (int) target.byteSize());
        while (filled == EntropySource.NOT_NOW) {
            assertTrue(nudged.tryAcquire(PATIENCE_SECONDS, TimeUnit.SECONDS), "nothing happens");
            filled = source.fill(target, 0, (int) target.byteSize());
        }
        return filled;
    }

    private int askUntil(int outcome, MemorySegment target) throws InterruptedException {
        int filled = ask(target);
        for (long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
                filled != outcome && System.nanoTime() < end; ) {
            TimeUnit.MILLISECONDS.sleep(5);
            filled = ask(target);
        }
        return filled;
    }

    private static MemorySegment memory(int length) {
        return Arena.ofAuto().allocate(length);
    }

    @Test
    void servesTheSamplesOfTheStartUpTestsOnceTheyArePassed() throws Exception {
        byte[] samples = random(1, 1024);
        script.chunks.add(Arrays.copyOf(samples, 1000));
        start(8);
        MemorySegment target = memory(1024);
        int before = source.fill(target, 0, 1024);

        script.chunks.add(Arrays.copyOfRange(samples, 1000, 1024));

        assertEquals(EntropySource.NOT_NOW, before);
        assertEquals(1024, ask(target));
        assertArrayEquals(samples, target.toArray(ValueLayout.JAVA_BYTE));
    }

    @Test
    void servesNothingOfASourceThatIsStuckFromTheBeginning() throws Exception {
        script.chunks.add(new byte[2048]);
        start(1);

        assertEquals(FAILED, ask(memory(64)));
    }

    @Test
    void servesNothingOfTheReadThatATestFailedIn() throws Exception {
        start(8);
        script.chunks.add(random(2, 1024));
        ask(memory(1024));
        byte[] stuckAtItsEnd = random(3, 2048);
        Arrays.fill(stuckAtItsEnd, 2000, 2048, (byte) 7);

        script.chunks.add(stuckAtItsEnd);

        assertEquals(FAILED, ask(memory(64)));
    }

    @Test
    void takesBackWhatWasReadAheadBeforeATestFailed() throws Exception {
        start(8);
        script.chunks.add(random(4, 1024));
        assertEquals(64, ask(memory(64)));

        script.chunks.add(new byte[64]);

        assertEquals(FAILED, askUntil(FAILED, memory(1)));
    }

    @Test
    void servesAgainAfterCleanStartUpTests() throws Exception {
        start(8);
        script.chunks.add(new byte[1024]);
        assertEquals(FAILED, ask(memory(64)));
        byte[] clean = random(5, 1024);

        script.chunks.add(clean);

        MemorySegment target = memory(1024);
        assertEquals(1024, askUntil(1024, target));
        assertArrayEquals(clean, target.toArray(ValueLayout.JAVA_BYTE));
    }

    @Test
    void findsASourceThatReplaysItsBuffer() throws Exception {
        start(8);
        byte[] buffer = random(6, 1500);
        script.chunks.add(buffer);
        assertEquals(1500, ask(memory(1500)));

        script.chunks.add(buffer);

        assertEquals(FAILED, ask(memory(64)));
    }

    @Test
    void serversReplayIsKnownThoughTheSourceWasClosedMeanwhile() throws Exception {
        byte[] buffer = random(6, 1500);
        start(8);
        script.chunks.add(buffer);
        assertEquals(1500, ask(memory(1500)));
        source.close();
        assertTrue(script.closings.tryAcquire(PATIENCE_SECONDS, TimeUnit.SECONDS));

        start(8);
        script.chunks.add(buffer);

        assertEquals(FAILED, ask(memory(64)));
    }

    /** As a pipe does that filled up while its writer was stuck. */
    @Test
    void servesAgainAtOnceThoughMuchOfTheFaultHasPiledUp() throws Exception {
        start(8);
        script.chunks.add(new byte[1024]);
        assertEquals(FAILED, ask(memory(64)));
        byte[] clean = random(5, 1024);

        for (int i = 0; i < 15; i++) {
            script.chunks.add(new byte[4096]);
        }
        script.chunks.add(clean);

        MemorySegment target = memory(1024);
        assertEquals(1024, askUntil(1024, target));
        assertArrayEquals(clean, target.toArray(ValueLayout.JAVA_BYTE));
    }

    @Test
    void servesWhatIsShorterThanTheStartUpTestsIfItPassesThem() throws Exception {
        byte[] whole = random(11, 100);
        script.chunks.add(whole);
        script.atEnd = true;
        start(8);

        MemorySegment target = memory(100);
        assertEquals(100, ask(target));
        assertArrayEquals(whole, target.toArray(ValueLayout.JAVA_BYTE));
    }

    @Test
    void endOfASuspectSourceIsNotServed() throws Exception {
        start(8);
        script.chunks.add(new byte[1024]);
        assertEquals(FAILED, ask(memory(64)));

        script.chunks.add(random(12, 100));
        script.atEnd = true;

        awaitEnd();
        assertEquals(FAILED, source.fill(memory(64), 0, 64));
        assertEquals("failed 0 times, its health tests 1 times, ended 1 times", counters.toString());
    }

    private void awaitEnd() throws InterruptedException {
        for (long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
                !counters.toString().contains("ended 1") && System.nanoTime() < end; ) {
            TimeUnit.MILLISECONDS.sleep(5);
        }
    }

    @Test
    void failsWhileTheSourceHasFailedAndServesWhenItServes() throws Exception {
        start(0);
        script.chunks.add(FAILURE);
        assertEquals(FAILED, ask(memory(8)));

        script.chunks.add(random(7, 8));

        assertEquals(8, askUntil(8, memory(8)));
    }

    @Test
    void makesTheStartUpTestsAgainAfterAFailureOfTheSource() throws Exception {
        start(8);
        script.chunks.add(random(8, 1024));
        ask(memory(1024));
        script.chunks.add(FAILURE);
        assertEquals(FAILED, ask(memory(8)));

        script.chunks.add(random(9, 1000));
        script.chunks.add(random(10, 100));

        assertEquals(1100, askUntil(1100, memory(1100)));
    }

    @Test
    void servesLittleBytesAtOnceWithoutTests() throws Exception {
        start(0);

        script.chunks.add(new byte[] {1, 2, 3});

        MemorySegment target = memory(3);
        assertEquals(3, ask(target));
        assertArrayEquals(new byte[] {1, 2, 3}, target.toArray(ValueLayout.JAVA_BYTE));
    }
}
