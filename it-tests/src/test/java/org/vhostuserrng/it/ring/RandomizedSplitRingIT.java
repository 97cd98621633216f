package org.vhostuserrng.it.ring;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.frontend.EntropyDriver.BUFFER_ADDRESS;
import static org.vhostuserrng.it.fixture.EventualAssertions.HANG_TIMEOUT;
import static org.vhostuserrng.it.fixture.ResponsivenessAssertions.assertServed;
import static org.vhostuserrng.it.fixture.ResponsivenessAssertions.warmUp;

import java.io.IOException;
import java.util.Random;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vhostuserrng.frontend.DriverSplitRing;
import org.vhostuserrng.frontend.EntropyDriver;
import org.vhostuserrng.frontend.EntropyDriver.Options;
import org.vhostuserrng.it.fixture.daemon.DaemonExtension;
import org.vhostuserrng.it.fixture.daemon.DaemonProcess;

/** Tests rings with pseudo-random descriptors, available-ring entries and indices, some of which are invalid. */
class RandomizedSplitRingIT {
    private static final int QUEUE_SIZE = 8;
    private static final int SESSIONS = 60;
    private static final int KICKS = 4;
    private static final int DESCRIPTOR_FLAGS = 8;
    private static final long[] ADDRESSES = {0, -1, -64, 0x9000_0000L, EntropyDriver.RING_ADDRESS};
    private static final int[] LENGTHS = {0, 1, 16, 17, 64, 128, 65536, 1 << 20, Integer.MAX_VALUE, -1};

    @RegisterExtension
    private final DaemonExtension daemons = new DaemonExtension();

    private static long address(Random random, EntropyDriver guest) {
        if (random.nextInt(4) == 0) {
            return ADDRESSES[random.nextInt(ADDRESSES.length)];
        }
        return BUFFER_ADDRESS + random.nextLong(guest.bufferRegion().size());
    }

    private static void writeRandomRing(Random random, EntropyDriver guest) {
        DriverSplitRing ring = guest.ring();
        for (int i = 0; i < QUEUE_SIZE; i++) {
            int length = LENGTHS[random.nextInt(LENGTHS.length)];
            int next = random.nextInt(QUEUE_SIZE + 1);
            ring.setDescriptor(i, address(random, guest), length, random.nextInt(DESCRIPTOR_FLAGS), next);
            ring.setAvailEntry(i, random.nextInt(QUEUE_SIZE + 1));
        }
        ring.setUsedEvent(random.nextInt(1 << 16));
        ring.setAvailIdx(ring.availIdx() + random.nextInt(2 * QUEUE_SIZE));
    }

    private static void attack(Random random, EntropyDriver guest) throws IOException {
        for (int kick = 0; kick < KICKS; kick++) {
            writeRandomRing(random, guest);
            guest.requestq().kick().signal();
        }
        guest.session().getFeatures();
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void randomRingDoesNotHarmOtherGuests(long seed) throws Exception {
        Random random = new Random(seed);
        DaemonProcess daemon = daemons.startWithSockets(2);
        try (EntropyDriver neighbour = warmUp(EntropyDriver.start(daemon.socket(1)))) {
            for (int i = 0; i < SESSIONS; i++) {
                Options options = Options.DEFAULT.withQueueSize(QUEUE_SIZE);
                try (EntropyDriver guest = EntropyDriver.start(daemon.socket(0), options)) {
                    attack(random, guest);
                    assertServed(neighbour);
                }
            }
        }

        assertTrue(daemon.isAlive());
        try (EntropyDriver next = EntropyDriver.start(daemon.socket(0))) {
            assertEquals(64, next.request(64, HANG_TIMEOUT).length);
        }
    }
}
