package org.vhostuserrng.backends.source;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class SharedEntropySourceTest {
    private final FakeVmForkClocks clocks = new FakeVmForkClocks();
    private final CountingSpec spec = new CountingSpec();
    private final SharedEntropySource shared = new SharedEntropySource(spec, () -> {}, () -> 0, clocks.detector());

    @Test
    void isNotOpenBeforeFirstUser() {
        assertEquals(0, spec.opened);
    }

    @Test
    void isOpenedOnceForAllUsers() {
        shared.acquire();
        shared.acquire();

        assertEquals(1, spec.opened);
    }

    @Test
    void staysOpenWhileItHasAUser() {
        shared.acquire();
        shared.acquire();

        shared.close();

        assertEquals(0, spec.closed);
    }

    @Test
    void isClosedWithLastUser() {
        shared.acquire();

        shared.close();

        assertEquals(1, spec.closed);
    }

    @Test
    void failsUntilItCanBeOpened() {
        spec.broken = true;
        shared.acquire();
        MemorySegment target = Arena.ofAuto().allocate(4);
        int whileBroken = shared.fill(target, 0, 4);

        spec.broken = false;
        int afterRepair = shared.fill(target, 0, 4);

        assertEquals(EntropySource.FAILED, whileBroken);
        assertEquals(4, afterRepair);
    }

    @Test
    void discardsBytesAheadOnceForAllUsersAfterAForkOfTheMachine() {
        MemorySegment target = Arena.ofAuto().allocate(4);
        shared.acquire();
        shared.acquire();
        shared.fill(target, 0, 4);
        int beforeFork = spec.discards;
        clocks.jumpRealtime(1000);

        for (int user = 0; user < 2; user++) {
            shared.beginTurn(4);
            shared.fill(target, 0, 4);
            shared.endTurn();
        }

        assertEquals(0, beforeFork);
        assertEquals(1, spec.discards);
    }

    @Test
    void noticesAForkWithoutTurns() {
        MemorySegment target = Arena.ofAuto().allocate(4);
        shared.acquire();
        shared.fill(target, 0, 4);
        clocks.jumpRealtime(1000);

        shared.fill(target, 0, 4);

        assertEquals(1, spec.discards);
    }

    @Test
    void quarantinedSourceFailsAndIsClosed() {
        MemorySegment target = Arena.ofAuto().allocate(4);
        shared.acquire();

        shared.setQuarantined(true);

        assertEquals(EntropySource.FAILED, shared.fill(target, 0, 4));
        assertEquals(1, spec.closed);
        assertEquals(SourceStatus.State.QUARANTINED, shared.status().state());
    }

    @Test
    void quarantinedSourceIsNotOpenedByANewUser() {
        shared.setQuarantined(true);

        shared.acquire();

        assertEquals(0, spec.opened);
    }

    @Test
    void releasedSourceIsOpenedAgainAndServes() {
        MemorySegment target = Arena.ofAuto().allocate(4);
        shared.acquire();
        shared.setQuarantined(true);

        shared.setQuarantined(false);

        assertEquals(4, shared.fill(target, 0, 4));
        assertEquals(2, spec.opened);
        assertEquals(SourceStatus.State.SERVES, shared.status().state());
    }

    @Test
    void releasedSourceFailsUntilItHasPassedItsStartupTests() {
        MemorySegment target = Arena.ofAuto().allocate(4);
        shared.acquire();
        shared.setQuarantined(true);
        shared.setQuarantined(false);
        spec.empty = true;
        int whileTested = shared.fill(target, 0, 4);

        spec.empty = false;
        int afterwards = shared.fill(target, 0, 4);
        spec.empty = true;

        assertEquals(EntropySource.FAILED, whileTested);
        assertEquals(4, afterwards);
        assertEquals(EntropySource.WOULD_BLOCK, shared.fill(target, 0, 4));
    }

    @Test
    void startupTestsOpenAnUnusedSourceUntilTheyEnd() {
        boolean tested = shared.beginStartupTests(_ -> {});
        int openedForTests = spec.opened;

        shared.endStartupTests();

        assertFalse(tested);
        assertEquals(1, openedForTests);
        assertEquals(1, spec.closed);
    }

    @Test
    void startupTestsDoNotRunTwiceAtATime() {
        shared.beginStartupTests(_ -> {});

        assertThrows(IllegalStateException.class, () -> shared.beginStartupTests(_ -> {}));
    }

    @Test
    void startupTestsOfAQuarantinedSourceDoNotLetItServe() {
        MemorySegment target = Arena.ofAuto().allocate(4);
        shared.acquire();
        shared.setQuarantined(true);

        shared.beginStartupTests(_ -> {});

        assertEquals(EntropySource.FAILED, shared.fill(target, 0, 4));
    }

    @Test
    void startupTestsOfASourceThatCannotBeOpenedFail() {
        List<String> results = new ArrayList<>();
        spec.broken = true;

        shared.beginStartupTests(results::add);

        assertEquals(List.of("it cannot be opened"), results);
    }

    private static final class CountingSpec implements SharedSourceSpec {
        private int opened;
        private int closed;
        private int discards;
        private boolean broken;
        private boolean empty;

        @Override
        public void probe() {}

        @Override
        public double minEntropy() {
            return Byte.SIZE;
        }

        @Override
        public EntropySource open(Runnable onReadable) throws IOException {
            if (broken) {
                throw new IOException("broken");
            }
            opened++;
            return new EntropySource() {
                @Override
                public int fill(MemorySegment target, long offset, int length) {
                    return empty ? WOULD_BLOCK : length;
                }

                @Override
                public boolean readsAhead() {
                    return true;
                }

                @Override
                public void discardAhead() {
                    discards++;
                }

                @Override
                public void close() {
                    closed++;
                }
            };
        }
    }
}
