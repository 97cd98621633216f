package org.vhostuserrng.backends.source;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class FailoverSourceTest {
    private static final long STALL_TIMEOUT = TimeUnit.SECONDS.toNanos(2);

    private final ScriptedSpec first = new ScriptedSpec("first");
    private final ScriptedSpec second = new ScriptedSpec("second");
    private final MemorySegment target = Arena.ofAuto().allocate(8);
    private long now = 1;
    private final SourceRegistry sources =
            new SourceRegistry(FailoverSourceSpec.firstOf(List.of(first, second)), () -> {}, () -> now);

    private static final class ScriptedSpec implements SharedSourceSpec {
        private final String name;
        private int result = 1;
        private int calls;
        private boolean opened;
        private boolean closed;

        private ScriptedSpec(String name) {
            this.name = name;
        }

        @Override
        public String toString() {
            return name;
        }

        @Override
        public void probe() {}

        @Override
        public double minEntropy() {
            return Byte.SIZE;
        }

        @Override
        public EntropySource open(Runnable onReadable) {
            opened = true;
            return new EntropySource() {
                @Override
                public int fill(MemorySegment memory, long offset, int length) {
                    calls++;
                    return result;
                }

                @Override
                public void close() {
                    closed = true;
                }
            };
        }
    }

    @Test
    void doesNotOpenUnneededSource() {
        EntropySource source = sources.open("guest");

        source.fill(target, 0, 8);

        assertFalse(second.opened);
    }

    @Test
    void usesNextSourceWhileFirstHasFailed() {
        EntropySource source = sources.open("guest");
        first.result = EntropySource.FAILED;

        int filled = source.fill(target, 0, 8);

        assertEquals(1, filled);
        assertEquals(1, second.calls);
        assertEquals(1, sources.failoverCount());
    }

    @Test
    void returnsToRecoveredSource() {
        EntropySource source = sources.open("guest");
        first.result = EntropySource.FAILED;
        source.fill(target, 0, 8);

        first.result = 1;
        source.fill(target, 0, 8);

        assertEquals(1, second.calls);
        assertEquals(2, sources.failoverCount());
    }

    @Test
    void fallbackTakesOverFromAQuarantinedSourceAtOnce() {
        EntropySource source = sources.open("guest");
        source.fill(target, 0, 8);

        sources.setQuarantined(first, true);
        int filled = source.fill(target, 0, 8);

        assertEquals(1, filled);
        assertEquals(1, second.calls);
        assertEquals(1, sources.quarantinedCount());
    }

    @Test
    void fallbackServesUntilAReleasedSourceHasPassedItsTests() {
        EntropySource source = sources.open("guest");
        sources.setQuarantined(first, true);
        sources.setQuarantined(first, false);
        first.result = EntropySource.WOULD_BLOCK;

        int filled = source.fill(target, 0, 8);

        assertEquals(1, filled);
        assertEquals(1, second.calls);
    }

    @Test
    void waitsForSlowSource() {
        EntropySource source = sources.open("guest");
        first.result = EntropySource.WOULD_BLOCK;
        source.fill(target, 0, 8);

        now += STALL_TIMEOUT - 1;
        int filled = source.fill(target, 0, 8);

        assertEquals(EntropySource.WOULD_BLOCK, filled);
        assertFalse(second.opened);
    }

    @Test
    void usesNextSourceWhenFirstHasStalled() {
        EntropySource source = sources.open("guest");
        first.result = EntropySource.WOULD_BLOCK;
        source.fill(target, 0, 8);

        now += STALL_TIMEOUT;
        int filled = source.fill(target, 0, 8);

        assertEquals(1, filled);
        assertEquals(1, second.calls);
    }

    @Test
    void newGuestDoesNotWaitForStalledSource() {
        first.result = EntropySource.WOULD_BLOCK;
        EntropySource source = sources.open("guest");
        source.fill(target, 0, 8);
        now += STALL_TIMEOUT;
        source.fill(target, 0, 8);

        int filled = sources.open("new guest").fill(target, 0, 8);

        assertEquals(1, filled);
        assertEquals(1, sources.failoverCount());
    }

    @Test
    void newGuestWaitsForSourceThatHasNotStalled() {
        first.result = EntropySource.WOULD_BLOCK;
        EntropySource source = sources.open("guest");
        source.fill(target, 0, 8);
        source.close();

        now += STALL_TIMEOUT;

        assertEquals(EntropySource.WOULD_BLOCK, sources.open("new guest").fill(target, 0, 8));
    }

    @Test
    void newGuestRecordsRecovery() {
        first.result = EntropySource.FAILED;
        sources.open("guest").fill(target, 0, 8);
        first.result = 1;

        sources.open("new guest").fill(target, 0, 8);

        assertEquals(2, sources.failoverCount());
    }

    @Test
    void statisticsCountFailovers() {
        EntropySource source = sources.open("guest");
        first.result = EntropySource.FAILED;

        source.fill(target, 0, 8);

        assertEquals("failovers: 1", sources.statistics());
    }

    @Test
    void failsWhenAllSourcesHaveFailed() {
        EntropySource source = sources.open("guest");
        first.result = EntropySource.FAILED;
        second.result = EntropySource.FAILED;

        assertEquals(EntropySource.FAILED, source.fill(target, 0, 8));
    }

    @Test
    void doesNotFailOverOnTargetFault() {
        EntropySource source = sources.open("guest");
        first.result = EntropySource.TARGET_FAULT;

        assertEquals(EntropySource.TARGET_FAULT, source.fill(target, 0, 8));
        assertFalse(second.opened);
    }

    @Test
    void closesOpenedSources() {
        EntropySource source = sources.open("guest");
        first.result = EntropySource.FAILED;
        source.fill(target, 0, 8);

        source.close();

        assertEquals(List.of(true, true), List.of(first.closed, second.closed));
    }
}
