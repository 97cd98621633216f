package org.vhostuserrng.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.frontend.EntropyDriver.BUFFER_ADDRESS;
import static org.vhostuserrng.it.EventualAssertions.PATIENCE;
import static org.vhostuserrng.it.EventualAssertions.eventually;
import static org.vhostuserrng.it.ResponsivenessAssertions.warmed;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.Collections;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.vhostuserrng.frontend.DriverBufferElement;
import org.vhostuserrng.frontend.DriverRing;
import org.vhostuserrng.frontend.DriverVirtioSpec;
import org.vhostuserrng.frontend.EntropyDriver;
import org.vhostuserrng.frontend.EntropyDriver.Options;
import org.vhostuserrng.frontend.FrontendRequestq;
import org.vhostuserrng.frontend.VirtioFeatureBit;

/** A guest that always has as much to be done as a ring can hold, and kicks without end, does not keep another waiting. */
class NoisyNeighbourIT {
    private static final int QUEUE_SIZE = 16;
    private static final int REQUESTS = 200;
    private static final int MOST_LATE = REQUESTS / 20;
    private static final int LONGEST_TABLE = 32768;
    private static final long TABLE = BUFFER_ADDRESS + (1 << 20);
    private static final long TABLE_BYTES = LONGEST_TABLE * 16L;

    private static final Options SPLIT =
            Options.DEFAULT.withQueueSize(QUEUE_SIZE).withBufferMemory((1 << 20) + TABLE_BYTES);
    private static final Options PACKED = SPLIT.withFeatures(SPLIT.features() | VirtioFeatureBit.RING_PACKED.mask());

    @RegisterExtension
    private final DaemonExtension daemons = new DaemonExtension();

    /** What it asks for, as often as its ring allows. */
    enum Greed {
        BUFFERS_OF_64_KIB {
            @Override
            int add(EntropyDriver guest) {
                return guest.driverRing().addWritableBuffer(BUFFER_ADDRESS, 65536);
            }
        },
        TABLES_OF_32768_BYTES {
            @Override
            int add(EntropyDriver guest) {
                return addTable(guest, DriverBufferElement.writable(BUFFER_ADDRESS, 1));
            }
        },
        TABLES_OF_32767_EMPTY_BUFFERS {
            @Override
            int add(EntropyDriver guest) {
                return addTable(guest, DriverBufferElement.writable(BUFFER_ADDRESS, 0));
            }
        };

        /** Adds one such request. */
        abstract int add(EntropyDriver guest);

        private static int addTable(EntropyDriver guest, DriverBufferElement element) {
            DriverBufferElement[] chain =
                    Collections.nCopies(LONGEST_TABLE, element).toArray(DriverBufferElement[]::new);
            chain[LONGEST_TABLE - 1] = DriverBufferElement.writable(BUFFER_ADDRESS, 1);
            MemorySegment table = guest.memory().at(TABLE, TABLE_BYTES);
            return guest.driverRing().addIndirectBuffer(table, TABLE, chain);
        }
    }

    /** What a guest does over and over. */
    @FunctionalInterface
    private interface Habit {
        void indulge() throws IOException;
    }

    /** Serves the neighbour many times while the guest has its way in another thread. */
    private static void assertNeighbourIsServedBeside(EntropyDriver neighbour, Habit habit) throws Exception {
        AtomicInteger times = new AtomicInteger();
        AtomicBoolean over = new AtomicBoolean();
        try (ExecutorService beside = Executors.newSingleThreadExecutor()) {
            Future<?> greedy = beside.submit(() -> {
                while (!over.get()) {
                    habit.indulge();
                    times.incrementAndGet();
                }
                return null;
            });
            try {
                awaitMore(times, greedy);
                assertServedAsARule(neighbour);
                awaitMore(times, greedy);
            } finally {
                over.set(true);
            }
            greedy.get();
        }
    }

    /** Promptly, but for the few times that the machine itself, with a guest that never rests, has no processor for it. */
    private static void assertServedAsARule(EntropyDriver neighbour) throws IOException {
        int late = 0;
        for (int i = 0; i < REQUESTS; i++) {
            long start = System.nanoTime();
            assertEquals(64, neighbour.request(64, PATIENCE).length);
            if (System.nanoTime() - start > ResponsivenessAssertions.LIMIT.toNanos()) {
                late++;
            }
        }
        assertTrue(
                late <= MOST_LATE,
                late + " of " + REQUESTS + " requests took more than " + ResponsivenessAssertions.LIMIT);
    }

    private static void awaitMore(AtomicInteger times, Future<?> greedy) {
        int before = times.get();
        eventually("the guest has had its way again", () -> times.get() > before || greedy.isDone());
    }

    private static void fillRing(EntropyDriver guest, Greed greed) throws IOException {
        DriverRing ring = guest.driverRing();
        while (ring.popUsed()) {
            assertTrue(ring.usedLength() > 0);
        }
        while (ring.freeDescriptors() > 0) {
            ring.makeAvailable(greed.add(guest));
        }
        guest.requestq().kick().signal();
    }

    @ParameterizedTest
    @EnumSource
    void fullSplitRing(Greed greed) throws Exception {
        assertNeighbourIsServedBeside(greed, SPLIT);
    }

    @ParameterizedTest
    @EnumSource
    void fullPackedRing(Greed greed) throws Exception {
        assertNeighbourIsServedBeside(greed, PACKED);
    }

    private void assertNeighbourIsServedBeside(Greed greed, Options options) throws Exception {
        DaemonProcess daemon = daemons.startForGuests(2, "--packed");
        try (EntropyDriver neighbour = warmed(EntropyDriver.start(daemon.socket(1)));
                EntropyDriver guest = EntropyDriver.start(daemon.socket(0), options)) {
            assertNeighbourIsServedBeside(neighbour, () -> fillRing(guest, greed));
        }
    }

    /** What it tells its front-end to do. */
    enum Restlessness {
        RING_BROKEN_AND_STARTED_AGAIN {
            @Override
            void indulge(EntropyDriver guest) throws IOException {
                guest.ring().setDescriptor(0, 0, 64, DriverVirtioSpec.VIRTQ_DESC_F_WRITE, 0);
                guest.ring().makeAvailable(0);
                guest.requestq().kick().signal();
                int base = guest.session().getVringBase(FrontendRequestq.INDEX);
                guest.session().startRing(guest.requestq(), guest.memory(), base);
            }
        },
        MEMORY_MAPPED_AGAIN {
            @Override
            void indulge(EntropyDriver guest) throws IOException {
                guest.session().setMemTable(guest.memory());
            }
        },
        KICKS_FOR_NOTHING {
            @Override
            void indulge(EntropyDriver guest) throws IOException {
                guest.requestq().kick().signal();
            }
        };

        abstract void indulge(EntropyDriver guest) throws IOException;
    }

    @ParameterizedTest
    @EnumSource
    void ringThatIsNeverLeftInPeace(Restlessness restlessness) throws Exception {
        DaemonProcess daemon = daemons.startForGuests(2);
        try (EntropyDriver neighbour = warmed(EntropyDriver.start(daemon.socket(1)));
                EntropyDriver guest = warmed(EntropyDriver.start(daemon.socket(0), SPLIT))) {
            assertNeighbourIsServedBeside(neighbour, () -> restlessness.indulge(guest));
        }
    }
}
