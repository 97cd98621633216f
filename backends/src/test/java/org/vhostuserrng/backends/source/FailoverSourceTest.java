package org.vhostuserrng.backends.source;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** {@code --source} given several times. */
class FailoverSourceTest {
    private static final long PATIENCE = TimeUnit.SECONDS.toNanos(2);

    private final ScriptedSpec first = new ScriptedSpec("first");
    private final ScriptedSpec second = new ScriptedSpec("second");
    private final MemorySegment target = Arena.ofAuto().allocate(8);
    private long now = 1;
    private final EventLoopSources sources =
            new EventLoopSources(EntropySourceSpec.firstOf(List.of(first, second)), () -> {}, () -> now);

    private static final class ScriptedSpec implements SharedSourceSpec {
        private final String name;
        private int outcome = 1;
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
        public void check() {}

        @Override
        public double minEntropy() {
            return Byte.SIZE;
        }

        @Override
        public EntropySource open(Runnable onBytes) {
            opened = true;
            return new EntropySource() {
                @Override
                public int fill(MemorySegment memory, long offset, int length) {
                    calls++;
                    return outcome;
                }

                @Override
                public void close() {
                    closed = true;
                }
            };
        }
    }

    @Test
    void neverOpensASourceThatIsNotNeeded() {
        EntropySource source = sources.acquire("guest");

        source.fill(target, 0, 8);

        assertFalse(second.opened);
    }

    @Test
    void servesFromTheNextWhileTheFirstHasFailed() {
        EntropySource source = sources.acquire("guest");
        first.outcome = EntropySource.FAILED;

        int filled = source.fill(target, 0, 8);

        assertEquals(1, filled);
        assertEquals(1, second.calls);
        assertEquals(1, sources.failovers());
    }

    @Test
    void returnsToTheFirstWhenItServesAgain() {
        EntropySource source = sources.acquire("guest");
        first.outcome = EntropySource.FAILED;
        source.fill(target, 0, 8);

        first.outcome = 1;
        source.fill(target, 0, 8);

        assertEquals(1, second.calls);
        assertEquals(2, sources.failovers());
    }

    @Test
    void waitsForASourceThatIsOnlySlow() {
        EntropySource source = sources.acquire("guest");
        first.outcome = EntropySource.NOT_NOW;
        source.fill(target, 0, 8);

        now += PATIENCE - 1;
        int filled = source.fill(target, 0, 8);

        assertEquals(EntropySource.NOT_NOW, filled);
        assertFalse(second.opened);
    }

    @Test
    void doesNotWaitForASourceThatIsStalled() {
        EntropySource source = sources.acquire("guest");
        first.outcome = EntropySource.NOT_NOW;
        source.fill(target, 0, 8);

        now += PATIENCE;
        int filled = source.fill(target, 0, 8);

        assertEquals(1, filled);
        assertEquals(1, second.calls);
    }

    @Test
    void newGuestDoesNotWaitForASourceThatIsKnownToBeStalled() {
        first.outcome = EntropySource.NOT_NOW;
        EntropySource source = sources.acquire("guest");
        source.fill(target, 0, 8);
        now += PATIENCE;
        source.fill(target, 0, 8);

        int filled = sources.acquire("new guest").fill(target, 0, 8);

        assertEquals(1, filled);
        assertEquals(1, sources.failovers());
    }

    @Test
    void newGuestWaitsForASourceThatKeptAnotherOneWaitingForAMomentOnly() {
        first.outcome = EntropySource.NOT_NOW;
        EntropySource source = sources.acquire("guest");
        source.fill(target, 0, 8);
        source.close();

        now += PATIENCE;

        assertEquals(EntropySource.NOT_NOW, sources.acquire("new guest").fill(target, 0, 8));
    }

    @Test
    void newGuestTellsThatTheFirstServesAgain() {
        first.outcome = EntropySource.FAILED;
        sources.acquire("guest").fill(target, 0, 8);
        first.outcome = 1;

        sources.acquire("new guest").fill(target, 0, 8);

        assertEquals(2, sources.failovers());
    }

    @Test
    void statisticsTellHowOftenAnotherSourceServed() {
        EntropySource source = sources.acquire("guest");
        first.outcome = EntropySource.FAILED;

        source.fill(target, 0, 8);

        assertEquals("1 times another source served than before", sources.statistics());
    }

    @Test
    void failsWhenAllHaveFailed() {
        EntropySource source = sources.acquire("guest");
        first.outcome = EntropySource.FAILED;
        second.outcome = EntropySource.FAILED;

        assertEquals(EntropySource.FAILED, source.fill(target, 0, 8));
    }

    @Test
    void doesNotTryAnotherSourceOnMemoryThatIsGone() {
        EntropySource source = sources.acquire("guest");
        first.outcome = EntropySource.TARGET_GONE;

        assertEquals(EntropySource.TARGET_GONE, source.fill(target, 0, 8));
        assertFalse(second.opened);
    }

    @Test
    void closesWhatItOpened() {
        EntropySource source = sources.acquire("guest");
        first.outcome = EntropySource.FAILED;
        source.fill(target, 0, 8);

        source.close();

        assertEquals(List.of(true, true), List.of(first.closed, second.closed));
    }
}
