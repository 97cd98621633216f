package org.vhostuserrng.it.ring;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.frontend.FrontendMessageType.SET_BACKEND_REQ_FD;
import static org.vhostuserrng.frontend.FrontendMessageType.SET_VRING_CALL;
import static org.vhostuserrng.frontend.FrontendMessageType.SET_VRING_ERR;
import static org.vhostuserrng.frontend.FrontendMessageType.SET_VRING_KICK;
import static org.vhostuserrng.it.fixture.EventualAssertions.HANG_TIMEOUT;
import static org.vhostuserrng.it.fixture.EventualAssertions.assertEventually;
import static org.vhostuserrng.it.fixture.ResponsivenessAssertions.assertServed;
import static org.vhostuserrng.it.fixture.ResponsivenessAssertions.warmUp;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.vhostuserrng.frontend.BackendRequestReceiver;
import org.vhostuserrng.frontend.EntropyDriver;
import org.vhostuserrng.frontend.FrontendEventFd;
import org.vhostuserrng.frontend.FrontendMessageType;
import org.vhostuserrng.frontend.FrontendNotificationStream;
import org.vhostuserrng.frontend.FrontendNotificationStream.Kind;
import org.vhostuserrng.frontend.FrontendPayloadEncoder;
import org.vhostuserrng.frontend.FrontendRequestq;
import org.vhostuserrng.it.fixture.daemon.DaemonExtension;
import org.vhostuserrng.it.fixture.daemon.DaemonProcess;

/**
 * Tests pipes and socket pairs as kick, call and err descriptors. Front-ends on hosts without eventfd send them instead
 * of eventfds.
 */
class NotificationStreamIT {
    /** More notifications than the buffer of a pipe or socket can hold. */
    private static final int MANY_KICKS = 20_000;

    @RegisterExtension
    private final DaemonExtension daemons = new DaemonExtension();

    private static long send(EntropyDriver guest, FrontendMessageType type, int fd) throws IOException {
        return guest.session().sendWithNeedReply(type.id(), FrontendPayloadEncoder.u64(FrontendRequestq.INDEX), fd);
    }

    /** Makes a buffer available, with interrupts enabled. Does not kick. */
    private static void makeAvailable(EntropyDriver guest) {
        guest.ring().enableInterrupts();
        guest.ring().makeAvailable(guest.ring().addWritableBuffer(EntropyDriver.BUFFER_ADDRESS, 64));
    }

    private static void assertUsed(EntropyDriver guest) {
        assertEventually("the buffer is used", () -> guest.ring().popUsed());
    }

    private static void completeOne(EntropyDriver guest) throws IOException {
        makeAvailable(guest);
        guest.requestq().kick().signal();
        assertUsed(guest);
    }

    private static void breakRing(EntropyDriver guest) throws IOException {
        guest.ring().setDescriptor(0, 0, 64, 2, 0);
        guest.ring().makeAvailable(0);
        guest.requestq().kick().signal();
    }

    @ParameterizedTest
    @EnumSource
    @Timeout(300)
    void guestIsServedThroughStreams(Kind kind) throws Exception {
        try (EntropyDriver guest = EntropyDriver.start(daemons.start().socket());
                FrontendNotificationStream kick = new FrontendNotificationStream(kind);
                FrontendNotificationStream call = new FrontendNotificationStream(kind)) {
            assertEquals(0, send(guest, SET_VRING_KICK, kick.readEnd()));
            assertEquals(0, send(guest, SET_VRING_CALL, call.writeEnd()));

            for (int i = 0; i < 100; i++) {
                makeAvailable(guest);
                kick.signal();

                assertUsed(guest);
                assertTrue(call.awaitAndRead(HANG_TIMEOUT), "no interrupt");
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    @Timeout(300)
    void kickStreamIsDrained(Kind kind) throws Exception {
        try (EntropyDriver guest = EntropyDriver.start(daemons.start().socket());
                FrontendNotificationStream kick = new FrontendNotificationStream(kind)) {
            send(guest, SET_VRING_KICK, kick.readEnd());

            for (int i = 0; i < MANY_KICKS; i++) {
                kick.signal();
            }

            makeAvailable(guest);
            kick.signal();
            assertUsed(guest);
        }
    }

    @ParameterizedTest
    @EnumSource
    @Timeout(300)
    void streamThatArrivesFullIsDrained(Kind kind) throws Exception {
        try (EntropyDriver guest = EntropyDriver.start(daemons.start().socket());
                FrontendNotificationStream kick = new FrontendNotificationStream(kind)) {
            kick.fill(true);
            makeAvailable(guest);

            send(guest, SET_VRING_KICK, kick.readEnd());

            assertUsed(guest);
            kick.signal();
            makeAvailable(guest);
            kick.signal();
            assertUsed(guest);
        }
    }

    @Test
    @Timeout(300)
    void kickInPartsIsAKick() throws Exception {
        try (EntropyDriver guest = EntropyDriver.start(daemons.start().socket());
                FrontendNotificationStream kick = new FrontendNotificationStream(Kind.PIPE)) {
            send(guest, SET_VRING_KICK, kick.readEnd());
            makeAvailable(guest);

            kick.signalPartly(3);

            assertUsed(guest);
            kick.signalPartly(5);
            makeAvailable(guest);
            kick.signal();
            assertUsed(guest);
        }
    }

    @ParameterizedTest
    @EnumSource
    @Timeout(300)
    void fullCallStreamBlocksNobody(Kind kind) throws Exception {
        DaemonProcess daemon = daemons.startWithSockets(2);
        try (EntropyDriver neighbour = warmUp(EntropyDriver.start(daemon.socket(1)));
                EntropyDriver guest = EntropyDriver.start(daemon.socket(0));
                FrontendNotificationStream call = new FrontendNotificationStream(kind)) {
            send(guest, SET_VRING_CALL, call.writeEnd());
            call.fill(true);

            completeOne(guest);
            completeOne(guest);

            assertServed(neighbour);
        }
    }

    @ParameterizedTest
    @EnumSource
    @Timeout(300)
    void callStreamThatNobodyReadsBlocksNobody(Kind kind) throws Exception {
        DaemonProcess daemon = daemons.start();
        try (EntropyDriver guest = EntropyDriver.start(daemon.socket());
                FrontendNotificationStream call = new FrontendNotificationStream(kind)) {
            send(guest, SET_VRING_CALL, call.writeEnd());

            for (int i = 0; i < 1000; i++) {
                completeOne(guest);
            }

            assertTrue(call.awaitAndRead(HANG_TIMEOUT), "no interrupt");
        }
    }

    @ParameterizedTest
    @EnumSource
    @Timeout(300)
    void guestIsServedAlthoughTheReaderOfCallIsGone(Kind kind) throws Exception {
        DaemonProcess daemon = daemons.start();
        try (EntropyDriver guest = EntropyDriver.start(daemon.socket());
                FrontendNotificationStream call = new FrontendNotificationStream(kind);
                FrontendEventFd next = new FrontendEventFd()) {
            send(guest, SET_VRING_CALL, call.writeEnd());
            call.closeReadEnd();
            call.closeWriteEnd();

            completeOne(guest);
            completeOne(guest);

            send(guest, SET_VRING_CALL, next.fd());
            completeOne(guest);
            assertTrue(next.awaitAndRead(HANG_TIMEOUT) > 0, "no interrupt");
            assertTrue(daemon.isAlive());
        }
    }

    @ParameterizedTest
    @EnumSource
    @Timeout(300)
    void loopDoesNotSpinAfterTheWriterOfKickIsGone(Kind kind) throws Exception {
        DaemonProcess daemon = daemons.start();
        try (EntropyDriver guest = EntropyDriver.start(daemon.socket());
                FrontendNotificationStream kick = new FrontendNotificationStream(kind)) {
            send(guest, SET_VRING_KICK, kick.readEnd());
            kick.closeWriteEnd();
            guest.session().getFeatures();
            Duration before = daemon.eventLoopCpuTime();
            TimeUnit.MILLISECONDS.sleep(500);

            Duration spent = daemon.eventLoopCpuTime().minus(before);

            assertTrue(spent.toMillis() < 50, () -> "the event loop spins: " + spent.toMillis() + " ms of 500");
            assertEquals(0, send(guest, SET_VRING_KICK, guest.requestq().kick().fd()));
            completeOne(guest);
        }
    }

    @ParameterizedTest
    @EnumSource
    @Timeout(300)
    void errStreamIsSignalled(Kind kind) throws Exception {
        try (EntropyDriver guest = EntropyDriver.start(daemons.start().socket());
                FrontendNotificationStream err = new FrontendNotificationStream(kind)) {
            send(guest, SET_VRING_ERR, err.writeEnd());

            breakRing(guest);

            assertTrue(err.awaitAndRead(HANG_TIMEOUT), "err was not signalled");
        }
    }

    @Test
    void wrongEndOfAPipeIsRefused() throws Exception {
        DaemonProcess daemon = daemons.start();
        try (EntropyDriver guest = EntropyDriver.start(daemon.socket());
                FrontendNotificationStream pipe = new FrontendNotificationStream(Kind.PIPE)) {
            assertNotEquals(0, send(guest, SET_VRING_KICK, pipe.writeEnd()));
            assertNotEquals(0, send(guest, SET_VRING_CALL, pipe.readEnd()));
            assertNotEquals(0, send(guest, SET_VRING_ERR, pipe.readEnd()));

            assertEventually(
                    "the log names the end",
                    () -> daemon.log().contains("expected the read end of a pipe, got the write end")
                            && daemon.log().contains("expected the write end of a pipe, got the read end"));
            completeOne(guest);
        }
    }

    @Test
    void descriptorsInAKickSocketBreakTheVring() throws Exception {
        DaemonProcess daemon = daemons.startWithSockets(2);
        try (EntropyDriver neighbour = warmUp(EntropyDriver.start(daemon.socket(1)));
                EntropyDriver guest = EntropyDriver.start(daemon.socket(0));
                BackendRequestReceiver kick = new BackendRequestReceiver()) {
            send(guest, SET_VRING_KICK, kick.backendFd());

            kick.sendUnreadFds(guest.requestq().call().fd());

            assertTrue(guest.requestq().err().awaitAndRead(HANG_TIMEOUT) > 0, "err was not signalled");
            assertServed(neighbour);
        }
    }

    @Test
    void backEndChannelMayBeAPipe() throws Exception {
        DaemonProcess daemon = daemons.start();
        try (EntropyDriver guest = EntropyDriver.start(daemon.socket());
                FrontendNotificationStream pipe = new FrontendNotificationStream(Kind.PIPE)) {
            long writeEnd = guest.session()
                    .sendWithNeedReply(SET_BACKEND_REQ_FD.id(), FrontendPayloadEncoder.none(), pipe.writeEnd());
            long readEnd = guest.session()
                    .sendWithNeedReply(SET_BACKEND_REQ_FD.id(), FrontendPayloadEncoder.none(), pipe.readEnd());

            assertEquals(0, writeEnd);
            assertNotEquals(0, readEnd);
        }
    }
}
