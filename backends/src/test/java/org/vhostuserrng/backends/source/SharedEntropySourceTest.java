package org.vhostuserrng.backends.source;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;

class SharedEntropySourceTest {
    private final CountingSpec spec = new CountingSpec();
    private final SharedEntropySource shared = new SharedEntropySource(spec, () -> {}, () -> 0);

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

    private static final class CountingSpec implements SharedSourceSpec {
        private int opened;
        private int closed;
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
                public void close() {
                    closed++;
                }
            };
        }
    }
}
