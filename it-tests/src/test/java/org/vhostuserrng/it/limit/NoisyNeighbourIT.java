package org.vhostuserrng.it.limit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.frontend.EntropyDriver.BUFFER_ADDRESS;
import static org.vhostuserrng.it.fixture.EventualAssertions.HANG_TIMEOUT;
import static org.vhostuserrng.it.fixture.EventualAssertions.assertEventually;
import static org.vhostuserrng.it.fixture.ResponsivenessAssertions.warmUp;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Collections;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.vhostuserrng.frontend.DriverBufferElement;
import org.vhostuserrng.frontend.DriverRing;
import org.vhostuserrng.frontend.DriverVirtqueueConstants;
import org.vhostuserrng.frontend.EntropyDriver;
import org.vhostuserrng.frontend.EntropyDriver.Options;
import org.vhostuserrng.frontend.FrontendRequestq;
import org.vhostuserrng.frontend.VirtioFeatureBit;
import org.vhostuserrng.it.fixture.MeasurementLog;
import org.vhostuserrng.it.fixture.daemon.DaemonExtension;
import org.vhostuserrng.it.fixture.daemon.DaemonProcess;

/**
 * Tests that a guest that floods its ring, its front-end's socket or its kick eventfd does not starve another guest,
 * the neighbour.
 *
 * <p>The latency of the neighbour is not measured as time, but as work of the flooding guest: the number of its buffers
 * or messages that the daemon completes between a kick of the neighbour and the used buffer.
 */
class NoisyNeighbourIT {
    private static final int QUEUE_SIZE = 16;
    private static final int REQUESTS = 200;
    /**
     * Maximum median of the work ahead of the neighbour, in rings full of buffers. A fair daemon completes about one
     * ring of the flooding guest before it serves the neighbour.
     */
    private static final int MAX_RINGS_AHEAD = 4;
    /**
     * Maximum median of the work ahead of the neighbour, in messages of the flooding front-end.
     */
    private static final int MAX_MESSAGES_AHEAD = 10;

    private static final int MAX_TABLE_LENGTH = 32768;
    private static final long TABLE = BUFFER_ADDRESS + (1 << 20);
    private static final long TABLE_BYTES = MAX_TABLE_LENGTH * 16L;

    private static final Options SPLIT =
            Options.DEFAULT.withQueueSize(QUEUE_SIZE).withBufferMemory((1 << 20) + TABLE_BYTES);
    private static final Options PACKED = SPLIT.withFeatures(SPLIT.features() | VirtioFeatureBit.RING_PACKED.mask());

    @RegisterExtension
    private final DaemonExtension daemons = new DaemonExtension();

    /** The kind of requests that fill the ring of the flooding guest. */
    enum RequestFlood {
        BUFFERS_OF_64_KIB {
            @Override
            int add(EntropyDriver guest) {
                return guest.driverRing().addWritableBuffer(BUFFER_ADDRESS, 65536);
            }
        },
        TABLES_OF_32768_ONE_BYTE_BUFFERS {
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

        /** Adds one request to the ring. */
        abstract int add(EntropyDriver guest);

        private static int addTable(EntropyDriver guest, DriverBufferElement element) {
            DriverBufferElement[] chain =
                    Collections.nCopies(MAX_TABLE_LENGTH, element).toArray(DriverBufferElement[]::new);
            chain[MAX_TABLE_LENGTH - 1] = DriverBufferElement.writable(BUFFER_ADDRESS, 1);
            MemorySegment table = guest.memory().at(TABLE, TABLE_BYTES);
            return guest.driverRing().addIndirectBuffer(table, TABLE, chain);
        }
    }

    /** A step that the flooding guest repeats. Returns how much work of the daemon the guest has observed. */
    @FunctionalInterface
    private interface FloodStep {
        int run() throws IOException;
    }

    /** Repeats the step on another thread until {@link #REQUESTS} requests of the neighbour are served. */
    private static void assertNotStarved(EntropyDriver neighbour, String flooding, FloodStep step, int maxWorkAhead)
            throws Exception {
        AtomicLong steps = new AtomicLong();
        AtomicLong work = new AtomicLong();
        AtomicBoolean ended = new AtomicBoolean();
        try (ExecutorService executor = Executors.newSingleThreadExecutor()) {
            Future<?> flood = executor.submit(() -> {
                while (!ended.get()) {
                    work.addAndGet(step.run());
                    steps.incrementAndGet();
                }
                return null;
            });
            try {
                awaitStep(steps, flood);
                long median = medianWorkAhead(neighbour, flooding, work);
                awaitStep(steps, flood);
                assertTrue(median <= maxWorkAhead, () -> "the flooding guest was served " + median + " times before");
            } finally {
                ended.set(true);
            }
            flood.get();
        }
    }

    /** Returns the median, over the neighbour's requests, of the flooding guest's work between kick and used buffer. */
    private static long medianWorkAhead(EntropyDriver neighbour, String flooding, AtomicLong work) throws IOException {
        long[] ahead = new long[REQUESTS];
        for (int i = 0; i < REQUESTS; i++) {
            long before = work.get();
            assertEquals(64, neighbour.request(64, HANG_TIMEOUT).length);
            ahead[i] = work.get() - before;
        }
        Arrays.sort(ahead);
        MeasurementLog.log("guest beside a flood of " + flooding + ": served after " + ahead[REQUESTS / 2]
                + " of the flood's buffers or messages in the median, " + ahead[REQUESTS - 1] + " at most");
        return ahead[REQUESTS / 2];
    }

    private static void awaitStep(AtomicLong steps, Future<?> flood) {
        long before = steps.get();
        assertEventually("the flood goes on", () -> steps.get() > before || flood.isDone());
    }

    /** Pops all used buffers and fills the ring again. Returns the number of used buffers. */
    private static int fillRing(EntropyDriver guest, RequestFlood flood) throws IOException {
        DriverRing ring = guest.driverRing();
        int popped = 0;
        while (ring.popUsed()) {
            assertTrue(ring.usedLength() > 0);
            popped++;
        }
        while (ring.freeDescriptors() > 0) {
            ring.makeAvailable(flood.add(guest));
        }
        guest.requestq().kick().signal();
        return popped;
    }

    @ParameterizedTest
    @EnumSource
    void fullSplitRing(RequestFlood flood) throws Exception {
        assertNotStarved(flood, SPLIT);
    }

    @ParameterizedTest
    @EnumSource
    void fullPackedRing(RequestFlood flood) throws Exception {
        assertNotStarved(flood, PACKED);
    }

    private void assertNotStarved(RequestFlood flood, Options options) throws Exception {
        DaemonProcess daemon = daemons.startWithSockets(2, "--packed");
        try (EntropyDriver neighbour = warmUp(EntropyDriver.start(daemon.socket(1)));
                EntropyDriver guest = EntropyDriver.start(daemon.socket(0), options)) {
            assertNotStarved(neighbour, flood.toString(), () -> fillRing(guest, flood), MAX_RINGS_AHEAD * QUEUE_SIZE);
        }
    }

    /** Front-end messages and kicks that cause work in the daemon without serving a request. */
    enum ControlFlood {
        RING_BROKEN_AND_RESTARTED {
            @Override
            int run(EntropyDriver guest) throws IOException {
                guest.ring().setDescriptor(0, 0, 64, DriverVirtqueueConstants.VIRTQ_DESC_F_WRITE, 0);
                guest.ring().makeAvailable(0);
                guest.requestq().kick().signal();
                int base = guest.session().getVringBase(FrontendRequestq.INDEX);
                guest.session().startRing(guest.requestq(), guest.memory(), base);
                return 1;
            }
        },
        MEMORY_REMAPPED {
            @Override
            int run(EntropyDriver guest) throws IOException {
                guest.session().setMemTable(guest.memory());
                return 1;
            }
        },
        /** The number of kicks that the daemon handles is unknown, because kicks add up in the eventfd's counter. */
        KICKS_WITHOUT_REQUESTS {
            @Override
            int run(EntropyDriver guest) throws IOException {
                guest.requestq().kick().signal();
                return 0;
            }
        };

        /** Runs one step. Returns the number of messages that the daemon has acknowledged. */
        abstract int run(EntropyDriver guest) throws IOException;
    }

    @ParameterizedTest
    @EnumSource
    void controlMessagesAndKicks(ControlFlood flood) throws Exception {
        DaemonProcess daemon = daemons.startWithSockets(2);
        try (EntropyDriver neighbour = warmUp(EntropyDriver.start(daemon.socket(1)));
                EntropyDriver guest = warmUp(EntropyDriver.start(daemon.socket(0), SPLIT))) {
            assertNotStarved(neighbour, flood.toString(), () -> flood.run(guest), MAX_MESSAGES_AHEAD);
        }
    }
}
