package org.vhostuserrng.it.ring;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.frontend.EntropyDriver.BUFFER_ADDRESS;
import static org.vhostuserrng.it.fixture.EventualAssertions.HANG_TIMEOUT;
import static org.vhostuserrng.it.fixture.ResponsivenessAssertions.assertServed;
import static org.vhostuserrng.it.fixture.ResponsivenessAssertions.warmUp;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.vhostuserrng.frontend.EntropyDriver;
import org.vhostuserrng.frontend.FrontendEventFd;
import org.vhostuserrng.frontend.FrontendRequestq;
import org.vhostuserrng.it.fixture.EventualAssertions;
import org.vhostuserrng.it.fixture.daemon.DaemonExtension;
import org.vhostuserrng.it.fixture.daemon.DaemonProcess;

/**
 * Tests kick, call and err eventfds that are full, blocking or semaphores: the event loop must neither block nor
 * busy-poll.
 */
class HostileEventFdIT {
    /** The counter of a full eventfd: 2^64 - 2. */
    private static final long FULL = -2;

    @RegisterExtension
    private final DaemonExtension daemons = new DaemonExtension();

    private static void breakRing(EntropyDriver guest) throws IOException {
        guest.ring().setDescriptor(0, 0, 64, 2, 0);
        guest.ring().makeAvailable(0);
        guest.requestq().kick().signal();
    }

    private static void completeOneWithInterrupt(EntropyDriver guest) throws IOException {
        guest.ring().enableInterrupts();
        guest.makeAvailableAndKick(guest.ring().addWritableBuffer(BUFFER_ADDRESS, 64));
        guest.requestq().kick().signal();
    }

    @Test
    void blockingCallEventFdDoesNotBlockOtherGuests() throws Exception {
        DaemonProcess daemon = daemons.startWithSockets(2);
        try (EntropyDriver neighbour = warmUp(EntropyDriver.start(daemon.socket(1)));
                EntropyDriver guest = warmUp(EntropyDriver.start(daemon.socket(0)))) {
            guest.requestq().call().fillCounter();
            guest.requestq().call().makeBlocking();

            completeOneWithInterrupt(guest);

            assertServed(neighbour);
            assertTrue(guest.requestq().err().awaitAndRead(HANG_TIMEOUT) > 0, "err was not signalled");
            assertEquals(FULL, guest.requestq().call().read(), "the eventfd was drained");
        }
    }

    @Test
    void blockingErrEventFdDoesNotBlockOtherGuests() throws Exception {
        DaemonProcess daemon = daemons.startWithSockets(2);
        try (EntropyDriver neighbour = warmUp(EntropyDriver.start(daemon.socket(1)));
                EntropyDriver guest = warmUp(EntropyDriver.start(daemon.socket(0)))) {
            guest.requestq().err().fillCounter();
            guest.requestq().err().makeBlocking();

            breakRing(guest);

            assertServed(neighbour);
            assertEquals(FULL, guest.requestq().err().read(), "the eventfd was drained");
        }
    }

    @Test
    void guestWithAFullCallEventFdIsServed() throws Exception {
        DaemonProcess daemon = daemons.startWithSockets(1);
        try (EntropyDriver guest = EntropyDriver.start(daemon.socket(0))) {
            guest.requestq().call().fillCounter();

            completeOneWithInterrupt(guest);

            assertEquals(64, popUsedLength(guest));
            assertEquals(64, guest.request(64, HANG_TIMEOUT).length);
        }
    }

    private static int popUsedLength(EntropyDriver guest) {
        EventualAssertions.assertEventually(
                "the buffer is used", () -> guest.ring().popUsed());
        return guest.ring().usedLength();
    }

    @Test
    void fullKickEventFdIsDrained() throws Exception {
        DaemonProcess daemon = daemons.startWithSockets(1);
        try (EntropyDriver guest = EntropyDriver.start(daemon.socket(0))) {
            FrontendEventFd kick = guest.requestq().kick();
            kick.fillCounter();
            guest.session().setVringKick(FrontendRequestq.INDEX, kick);

            EventualAssertions.assertEventually("the kick eventfd has been drained", () -> canSignal(kick));

            assertEquals(64, guest.request(64, HANG_TIMEOUT).length);
        }
    }

    private static boolean canSignal(FrontendEventFd eventFd) {
        try {
            eventFd.signal();
            return true;
        } catch (IOException full) {
            return false;
        }
    }

    @Test
    void semaphoreKickEventFdIsReadOncePerKick() throws Exception {
        DaemonProcess daemon = daemons.startWithSockets(1);
        try (FrontendEventFd kick = FrontendEventFd.semaphore();
                EntropyDriver guest = warmUp(EntropyDriver.start(daemon.socket(0)))) {
            guest.session().setVringKick(FrontendRequestq.INDEX, kick);
            kick.fillCounter();
            guest.session().getFeatures();
            Duration before = daemon.eventLoopCpuTime();
            TimeUnit.MILLISECONDS.sleep(500);

            Duration spent = daemon.eventLoopCpuTime().minus(before);

            assertTrue(spent.toMillis() < 50, () -> "the event loop spins: " + spent.toMillis() + " ms of 500");
        }
    }
}
