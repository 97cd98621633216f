package org.vhostuserrng.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.frontend.EntropyDriver.BUFFER_ADDRESS;
import static org.vhostuserrng.it.EventualAssertions.PATIENCE;
import static org.vhostuserrng.it.ResponsivenessAssertions.assertServedPromptly;
import static org.vhostuserrng.it.ResponsivenessAssertions.warmed;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.vhostuserrng.frontend.EntropyDriver;
import org.vhostuserrng.frontend.FrontendEventFd;
import org.vhostuserrng.frontend.FrontendRequestq;

/** Eventfds that a front-end has prepared so that whoever uses them waits, or has work without end. */
class HostileEventFdIT {
    @RegisterExtension
    private final DaemonExtension daemons = new DaemonExtension();

    private static void offerBroken(EntropyDriver guest) throws IOException {
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
    void callThatWouldWaitForEverHoldsUpNobodyElse() throws Exception {
        DaemonProcess daemon = daemons.startForGuests(2);
        try (EntropyDriver neighbour = warmed(EntropyDriver.start(daemon.socket(1)));
                EntropyDriver guest = warmed(EntropyDriver.start(daemon.socket(0)))) {
            guest.requestq().call().fillCounter();
            guest.requestq().call().makeBlocking();

            completeOneWithInterrupt(guest);

            assertServedPromptly(neighbour);
            assertTrue(guest.requestq().err().awaitAndRead(PATIENCE) > 0, "err was not signalled");
        }
    }

    @Test
    void errThatWouldWaitForEverHoldsUpNobodyElse() throws Exception {
        DaemonProcess daemon = daemons.startForGuests(2);
        try (EntropyDriver neighbour = warmed(EntropyDriver.start(daemon.socket(1)));
                EntropyDriver guest = warmed(EntropyDriver.start(daemon.socket(0)))) {
            guest.requestq().err().fillCounter();
            guest.requestq().err().makeBlocking();

            offerBroken(guest);

            assertServedPromptly(neighbour);
        }
    }

    @Test
    void callThatIsFullIsStillServed() throws Exception {
        DaemonProcess daemon = daemons.startForGuests(1);
        try (EntropyDriver guest = EntropyDriver.start(daemon.socket(0))) {
            guest.requestq().call().fillCounter();

            completeOneWithInterrupt(guest);

            assertEquals(64, takeLength(guest));
            assertEquals(64, guest.request(64, PATIENCE).length);
        }
    }

    private static int takeLength(EntropyDriver guest) {
        EventualAssertions.eventually("the buffer is used", () -> guest.ring().popUsed());
        return guest.ring().usedLength();
    }

    @Test
    void kickThatCameFullTakesKicks() throws Exception {
        DaemonProcess daemon = daemons.startForGuests(1);
        try (EntropyDriver guest = EntropyDriver.start(daemon.socket(0))) {
            FrontendEventFd kick = guest.requestq().kick();
            kick.fillCounter();
            guest.session().setVringKick(FrontendRequestq.INDEX, kick);

            EventualAssertions.eventually("there is room for a kick", () -> isSignalled(kick));

            assertEquals(64, guest.request(64, PATIENCE).length);
        }
    }

    private static boolean isSignalled(FrontendEventFd full) {
        try {
            full.signal();
            return true;
        } catch (IOException stillFull) {
            return false;
        }
    }

    @Test
    void semaphoreThatTakesForEverToReadIsOneKick() throws Exception {
        DaemonProcess daemon = daemons.startForGuests(1);
        try (FrontendEventFd kick = FrontendEventFd.semaphore();
                EntropyDriver guest = warmed(EntropyDriver.start(daemon.socket(0)))) {
            guest.session().setVringKick(FrontendRequestq.INDEX, kick);
            kick.fillCounter();
            Duration before = daemon.cpuTime();
            TimeUnit.MILLISECONDS.sleep(500);

            Duration spent = daemon.cpuTime().minus(before);

            assertTrue(spent.toMillis() < 250, () -> "spins: " + spent.toMillis() + " ms of 500");
        }
    }
}
