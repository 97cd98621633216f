package org.vhostuserrng.backends.source;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;

class SharedEntropySourceTest {
    private final CountingSpec spec = new CountingSpec();
    private final SharedEntropySource shared = new SharedEntropySource(spec, () -> {});

    @Test
    void isNotOpenBeforeItHasAUser() {
        assertEquals(0, spec.opened);
    }

    @Test
    void isOpenedOnceForAllItsUsers() {
        shared.acquire();
        shared.acquire();

        assertEquals(1, spec.opened);
    }

    @Test
    void staysOpenWhileOneUserIsLeft() {
        shared.acquire();
        shared.acquire();

        shared.close();

        assertEquals(0, spec.closed);
    }

    @Test
    void isClosedWithItsLastUser() {
        shared.acquire();

        shared.close();

        assertEquals(1, spec.closed);
    }

    @Test
    void failsWhileItCannotBeOpenedAndServesWhenItCan() {
        spec.broken = true;
        shared.acquire();
        MemorySegment target = Arena.ofAuto().allocate(4);
        int whileBroken = shared.fill(target, 0, 4);

        spec.broken = false;
        int afterwards = shared.fill(target, 0, 4);

        assertEquals(EntropySource.FAILED, whileBroken);
        assertEquals(4, afterwards);
    }

    private static final class CountingSpec implements SharedSourceSpec {
        private int opened;
        private int closed;
        private boolean broken;

        @Override
        public void check() {}

        @Override
        public double minEntropy() {
            return Byte.SIZE;
        }

        @Override
        public EntropySource open(Runnable onBytes) throws IOException {
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
