package org.vhostuserrng.backends.readahead;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.backends.source.EntropySource.FAILED;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.vhostuserrng.backends.health.NoiseHealthTester;
import org.vhostuserrng.backends.health.SeenSequenceHashes;
import org.vhostuserrng.backends.source.EntropySource;
import org.vhostuserrng.backends.sys.WakeablePoller;

/** Tests with scripted sources, which are read through {@link ReadAheadSource} with health tests. */
class ReadAheadThreadTest {
    private static final long TIMEOUT_SECONDS = 120;
    private static final byte[] FAILURE = {};
    private static final byte[] REPLACEMENT = {1};

    private final Semaphore readable = new Semaphore(0);
    private final ScriptedSource script = new ScriptedSource();
    private final SourceFailureCounters counters = new SourceFailureCounters();
    private final SeenSequenceHashes seen = new SeenSequenceHashes(
            new Random(99).longs(SeenSequenceHashes.KEY_COUNT).toArray());
    private final BlockingQueue<String> testResults = new ArrayBlockingQueue<>(10);
    private EntropySource source;

    /** Returns one chunk of the script for each read. */
    private static final class ScriptedSource implements BlockingEntropySource {
        private final BlockingQueue<byte[]> chunks = new ArrayBlockingQueue<>(1000);
        /**
         * Whether the stream ends after the last chunk. Otherwise the source has no data until there is another chunk.
         */
        private volatile boolean atEnd;

        private final Semaphore closings = new Semaphore(0);

        @Override
        public int read(MemorySegment target, long offset, int length, WakeablePoller poller) throws IOException {
            byte[] chunk = chunks.poll();
            if (chunk == null && atEnd) {
                return END_OF_STREAM;
            }
            if (chunk == null) {
                poller.sleep(1);
                return NO_DATA;
            }
            if (chunk.length == FAILURE.length) {
                throw new IOException("unplugged");
            }
            if (chunk.length == REPLACEMENT.length) {
                return REPLACED;
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
        NoiseHealthTester tests = minEntropy == 0 ? null : new NoiseHealthTester(minEntropy, seen);
        source = new ReadAheadSource("scripted", script, tests, counters, readable::release, new CountDownLatch(0));
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

    /** Fills {@code target}. Waits as long as the result is WOULD_BLOCK. */
    private int fill(MemorySegment target) throws InterruptedException {
        int filled = source.fill(target, 0, (int) target.byteSize());
        while (filled == EntropySource.WOULD_BLOCK) {
            assertTrue(readable.tryAcquire(TIMEOUT_SECONDS, TimeUnit.SECONDS), "no notification");
            filled = source.fill(target, 0, (int) target.byteSize());
        }
        return filled;
    }

    private int fillUntil(int result, MemorySegment target) throws InterruptedException {
        int filled = fill(target);
        for (long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(TIMEOUT_SECONDS);
                filled != result && System.nanoTime() < end; ) {
            TimeUnit.MILLISECONDS.sleep(5);
            filled = fill(target);
        }
        return filled;
    }

    private static MemorySegment allocate(int length) {
        return Arena.ofAuto().allocate(length);
    }

    @Test
    void servesStartupSamplesOnceTheyHavePassed() throws Exception {
        byte[] samples = random(1, 1024);
        script.chunks.add(Arrays.copyOf(samples, 1000));
        start(8);
        MemorySegment target = allocate(1024);
        int before = source.fill(target, 0, 1024);

        script.chunks.add(Arrays.copyOfRange(samples, 1000, 1024));

        assertEquals(EntropySource.WOULD_BLOCK, before);
        assertEquals(1024, fill(target));
        assertArrayEquals(samples, target.toArray(ValueLayout.JAVA_BYTE));
    }

    @Test
    void servesNothingOfSourceStuckFromTheStart() throws Exception {
        script.chunks.add(new byte[2048]);
        start(1);

        assertEquals(FAILED, fill(allocate(64)));
    }

    @Test
    void servesNothingOfReadThatFailedATest() throws Exception {
        start(8);
        script.chunks.add(random(2, 1024));
        fill(allocate(1024));
        byte[] stuckAtItsEnd = random(3, 2048);
        Arrays.fill(stuckAtItsEnd, 2000, 2048, (byte) 7);

        script.chunks.add(stuckAtItsEnd);

        assertEquals(FAILED, fill(allocate(64)));
    }

    @Test
    void discardsBlocksReadBeforeAFailedTest() throws Exception {
        start(8);
        script.chunks.add(random(4, 1024));
        assertEquals(64, fill(allocate(64)));

        script.chunks.add(new byte[64]);

        assertEquals(FAILED, fillUntil(FAILED, allocate(1)));
    }

    @Test
    void servesAgainAfterPassedStartupTests() throws Exception {
        start(8);
        script.chunks.add(new byte[1024]);
        assertEquals(FAILED, fill(allocate(64)));
        byte[] healthy = random(5, 1024);

        script.chunks.add(healthy);

        MemorySegment target = allocate(1024);
        assertEquals(1024, fillUntil(1024, target));
        assertArrayEquals(healthy, target.toArray(ValueLayout.JAVA_BYTE));
    }

    @Test
    void detectsReplayedBuffer() throws Exception {
        start(8);
        byte[] buffer = random(6, 1500);
        script.chunks.add(buffer);
        assertEquals(1500, fill(allocate(1500)));

        script.chunks.add(buffer);

        assertEquals(FAILED, fill(allocate(64)));
    }

    @Test
    void detectsReplayAfterReopening() throws Exception {
        byte[] buffer = random(6, 1500);
        start(8);
        script.chunks.add(buffer);
        assertEquals(1500, fill(allocate(1500)));
        source.close();
        assertTrue(script.closings.tryAcquire(TIMEOUT_SECONDS, TimeUnit.SECONDS));

        start(8);
        script.chunks.add(buffer);

        assertEquals(FAILED, fill(allocate(64)));
    }

    /** The start-up tests are repeated without a delay: the next chunk is read as soon as it is available. */
    @Test
    void firstFailureOnlyRepeatsTheStartupTests() throws Exception {
        start(8);
        script.chunks.add(random(4, 1024));
        fill(allocate(1024));
        script.chunks.add(new byte[64]);
        assertEquals(FAILED, fillUntil(FAILED, allocate(1)));
        assertEquals("read failures: 0, health test failures: 1, ends of file: 0", counters.toString());

        script.chunks.add(random(5, 1024));

        assertEquals(1024, fillUntil(1024, allocate(1024)));
    }

    @Test
    void failureOfRepeatedStartupTestsIsCountedAsAnother() throws Exception {
        start(8);
        script.chunks.add(new byte[1024]);
        script.chunks.add(new byte[1024]);

        for (long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(TIMEOUT_SECONDS);
                !counters.toString().contains("failures: 2") && System.nanoTime() < end; ) {
            TimeUnit.MILLISECONDS.sleep(5);
        }

        assertEquals("read failures: 0, health test failures: 2, ends of file: 0", counters.toString());
        assertEquals(FAILED, fill(allocate(64)));
    }

    /**
     * Simulates a pipe that a stuck writer has filled with faulty bytes: the healthy bytes that follow must be served.
     */
    @Test
    void recoversThoughQueuedBytesAreFaulty() throws Exception {
        start(8);
        script.chunks.add(new byte[1024]);
        assertEquals(FAILED, fill(allocate(64)));
        byte[] healthy = random(5, 1024);

        for (int i = 0; i < 15; i++) {
            script.chunks.add(new byte[4096]);
        }
        script.chunks.add(healthy);

        MemorySegment target = allocate(1024);
        assertEquals(1024, fillUntil(1024, target));
        assertArrayEquals(healthy, target.toArray(ValueLayout.JAVA_BYTE));
    }

    @Test
    void servesNothingOfSourceShorterThanStartupTests() throws Exception {
        script.chunks.add(random(11, 1023));
        script.atEnd = true;
        start(8);

        assertEquals(FAILED, fill(allocate(64)));
    }

    @Test
    void continuesStartupTestsOfSourceThatGrows() throws Exception {
        byte[] samples = random(13, 1024);
        script.chunks.add(Arrays.copyOf(samples, 1000));
        script.atEnd = true;
        start(8);
        assertEquals(FAILED, fill(allocate(64)));

        script.chunks.add(Arrays.copyOfRange(samples, 1000, 1024));

        MemorySegment target = allocate(1024);
        assertEquals(1024, fillUntil(1024, target));
        assertArrayEquals(samples, target.toArray(ValueLayout.JAVA_BYTE));
    }

    @Test
    void repeatsStartupTestsOfReplacedSource() throws Exception {
        start(8);
        script.chunks.add(random(14, 1000));
        script.chunks.add(REPLACEMENT);
        byte[] samples = random(15, 1024);
        script.chunks.add(samples);

        MemorySegment target = allocate(1024);
        assertEquals(1024, fill(target));
        assertArrayEquals(samples, target.toArray(ValueLayout.JAVA_BYTE));
    }

    @Test
    void doesNotServeEndOfSuspectSource() throws Exception {
        start(8);
        script.chunks.add(new byte[1024]);
        assertEquals(FAILED, fill(allocate(64)));

        script.chunks.add(random(12, 100));
        script.atEnd = true;

        awaitEnd();
        assertEquals(FAILED, source.fill(allocate(64), 0, 64));
        assertEquals("read failures: 0, health test failures: 1, ends of file: 1", counters.toString());
    }

    @Test
    void reportsTheEndOfASourceThatReplacesOneAtItsEnd() throws Exception {
        start(8);
        script.chunks.add(random(18, 1024));
        fill(allocate(1024));
        script.atEnd = true;
        awaitEnds(1);

        script.chunks.add(REPLACEMENT);

        awaitEnds(2);
        assertEquals(2, counters.counts().endOfFiles());
    }

    private void awaitEnd() throws InterruptedException {
        awaitEnds(1);
    }

    private void awaitEnds(long ends) throws InterruptedException {
        for (long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(TIMEOUT_SECONDS);
                counters.counts().endOfFiles() < ends && System.nanoTime() < end; ) {
            TimeUnit.MILLISECONDS.sleep(5);
        }
    }

    @Test
    void recoversAfterReadFailure() throws Exception {
        start(0);
        script.chunks.add(FAILURE);
        assertEquals(FAILED, fill(allocate(8)));

        script.chunks.add(random(7, 8));

        assertEquals(8, fillUntil(8, allocate(8)));
    }

    @Test
    void answersAfterFailureWhileItHasNoBytes() throws Exception {
        start(8);
        script.chunks.add(FAILURE);
        assertEquals(FAILED, fill(allocate(8)));

        for (long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(TIMEOUT_SECONDS);
                !source.answersAfterFailure() && System.nanoTime() < end; ) {
            TimeUnit.MILLISECONDS.sleep(5);
        }

        assertTrue(source.answersAfterFailure());
        assertEquals(FAILED, fill(allocate(8)));
        script.chunks.add(random(11, 1024));
        assertEquals(1024, fillUntil(1024, allocate(1024)));
        assertFalse(source.answersAfterFailure());
    }

    @Test
    void repeatsStartupTestsAfterReadFailure() throws Exception {
        start(8);
        script.chunks.add(random(8, 1024));
        fill(allocate(1024));
        script.chunks.add(FAILURE);
        assertEquals(FAILED, fill(allocate(8)));

        script.chunks.add(random(9, 1000));
        script.chunks.add(random(10, 100));

        assertEquals(1100, fillUntil(1100, allocate(1100)));
    }

    private String awaitTestResult() throws InterruptedException {
        return testResults.poll(TIMEOUT_SECONDS, TimeUnit.SECONDS);
    }

    @Test
    void requestedStartupTestsDiscardTheirBytes() throws Exception {
        start(8);
        script.chunks.add(random(16, 1024));
        assertEquals(1024, fill(allocate(1024)));
        boolean tested = source.startStartupTests(result -> testResults.add(String.valueOf(result)));
        script.chunks.add(random(17, 64));
        script.chunks.add(random(18, 1024));
        String result = awaitTestResult();
        byte[] served = random(19, 64);

        script.chunks.add(served);

        assertTrue(tested);
        assertEquals("null", result);
        MemorySegment target = allocate(64);
        fillUntilEnd(target, served);
    }

    /** Reads until the last bytes are those expected: bytes before the request may still come first. */
    private void fillUntilEnd(MemorySegment target, byte[] expected) throws InterruptedException {
        for (long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(TIMEOUT_SECONDS);
                !Arrays.equals(expected, target.toArray(ValueLayout.JAVA_BYTE)) && System.nanoTime() < end; ) {
            int filled = fill(target);
            assertTrue(filled == target.byteSize(), "only " + filled);
        }
        assertArrayEquals(expected, target.toArray(ValueLayout.JAVA_BYTE));
    }

    @Test
    void sourceThatFailsRequestedStartupTestsServesNothing() throws Exception {
        start(8);
        script.chunks.add(random(16, 1024));
        assertEquals(1024, fill(allocate(1024)));
        source.startStartupTests(result -> testResults.add(String.valueOf(result)));

        script.chunks.add(new byte[1024]);
        script.chunks.add(new byte[1024]);

        String result = awaitTestResult();
        assertTrue(result.contains("repetition count test failed"), result);
        assertEquals(FAILED, fillUntil(FAILED, allocate(1)));
        assertTrue(source.hasFailedHealthTest());
    }

    @Test
    void startupTestsOfASourceThatHasNotBegunAreThoseAtItsStart() throws Exception {
        start(8);
        source.startStartupTests(result -> testResults.add(String.valueOf(result)));

        script.chunks.add(random(20, 1024));

        assertEquals("null", awaitTestResult());
    }

    @Test
    void readFailureEndsRequestedStartupTests() throws Exception {
        start(8);
        source.startStartupTests(result -> testResults.add(String.valueOf(result)));

        script.chunks.add(FAILURE);

        assertEquals("unplugged", awaitTestResult());
    }

    @Test
    void sourceWithoutHealthTestsHasNoStartupTests() throws Exception {
        start(0);

        assertFalse(source.startStartupTests(result -> testResults.add(String.valueOf(result))));
    }

    @Test
    void servesFewBytesAtOnceWithoutTests() throws Exception {
        start(0);

        script.chunks.add(new byte[] {1, 2, 3});

        MemorySegment target = allocate(3);
        assertEquals(3, fill(target));
        assertArrayEquals(new byte[] {1, 2, 3}, target.toArray(ValueLayout.JAVA_BYTE));
    }
}
