package org.vhostuserrng.backends.source;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;

class SharedEntropySourceTest {
    private final FakeVmForkClocks clocks = new FakeVmForkClocks();
    private final CountingSpec spec = new CountingSpec();
    private final SharedEntropySource shared =
            new SharedEntropySource(spec, () -> {}, () -> 0, clocks.detector());

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

    private static final class CountingSpec implements SharedSourceSpec {
        private int opened;
        private int closed;
        private int discards;
        private boolean broken;

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
                    return length;
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
