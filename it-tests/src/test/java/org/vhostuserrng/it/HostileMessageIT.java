package org.vhostuserrng.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.it.Eventually.A_WHILE;
import static org.vhostuserrng.it.Eventually.PATIENCE;
import static org.vhostuserrng.it.Eventually.eventually;
import static org.vhostuserrng.it.Promptness.assertServedPromptly;
import static org.vhostuserrng.it.Promptness.warmed;

import java.io.IOException;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.vhostuserrng.frontend.EntropyDriver;
import org.vhostuserrng.frontend.EntropyDriver.Options;
import org.vhostuserrng.frontend.EventFd;
import org.vhostuserrng.frontend.FrontendSocket;
import org.vhostuserrng.frontend.Payload;
import org.vhostuserrng.frontend.VhostUser;

/** Messages that break the vhost-user protocol end at most the session they come in. */
class HostileMessageIT {
    private static final int UNKNOWN_REQUEST = 200;
    private static final int WRONG_VERSION = 2;

    @RegisterExtension
    private final Daemons daemons = new Daemons();

    /** Something a front-end must not send. */
    @FunctionalInterface
    private interface Offence {
        void commit(EntropyDriver guest) throws IOException;
    }

    private static EntropyDriver negotiated(Daemon daemon) throws IOException {
        return EntropyDriver.initialise(daemon.socket(0), Options.DEFAULT);
    }

    private void assertClosesThatSessionOnly(Offence offence) throws IOException {
        Daemon daemon = daemons.startForGuests(2);
        try (EntropyDriver neighbour = warmed(EntropyDriver.start(daemon.socket(1)));
                EntropyDriver guest = negotiated(daemon)) {
            offence.commit(guest);

            assertTrue(guest.session().socket().awaitClosed(PATIENCE), "the session was not closed");
            assertServedPromptly(neighbour);
        }
        try (EntropyDriver next = EntropyDriver.start(daemon.socket(0))) {
            assertEquals(64, next.request(64, PATIENCE).length);
        }
    }

    private void assertRefusedAndSessionGoesOn(int request, byte[] payload, int... fds) throws IOException {
        Daemon daemon = daemons.startForGuests(1);
        try (EntropyDriver guest = negotiated(daemon)) {
            assertNotEquals(0, guest.session().acknowledgementOf(request, payload, fds));

            guest.session().start(guest.requestq(), guest.memory(), guest.features(), 0);
            assertEquals(64, guest.request(64, PATIENCE).length);
        }
    }

    private static byte[] header(int request, int flags, int size) {
        byte[] message = Payload.message(request, flags, new byte[0]);
        System.arraycopy(Payload.vringState(size, 0), 0, message, 2 * Integer.BYTES, Integer.BYTES);
        return message;
    }

    private static int[] copies(EventFd eventFd, int count) {
        int[] fds = new int[count];
        Arrays.fill(fds, eventFd.fd());
        return fds;
    }

    @Test
    void unknownRequestClosesThatSessionOnly() throws Exception {
        assertClosesThatSessionOnly(guest -> guest.session().tell(UNKNOWN_REQUEST, Payload.none()));
    }

    @Test
    void unknownRequestThatNeedsAReplyIsRefused() throws Exception {
        assertRefusedAndSessionGoesOn(UNKNOWN_REQUEST, Payload.u64(1));
    }

    @Test
    void wrongVersionClosesThatSessionOnly() throws Exception {
        assertClosesThatSessionOnly(guest -> guest.session()
                .socket()
                .sendRaw(Payload.message(VhostUser.GET_FEATURES, WRONG_VERSION, Payload.none())));
    }

    @Test
    void payloadOf2GibClosesThatSessionOnly() throws Exception {
        assertClosesThatSessionOnly(guest -> guest.session()
                .socket()
                .sendRaw(header(VhostUser.SET_FEATURES, VhostUser.FLAG_VERSION, Integer.MAX_VALUE)));
    }

    @Test
    void payloadOf4GibClosesThatSessionOnly() throws Exception {
        assertClosesThatSessionOnly(
                guest -> guest.session().socket().sendRaw(header(VhostUser.SET_FEATURES, VhostUser.FLAG_VERSION, -1)));
    }

    @Test
    void payloadTooShortForItsRequestClosesThatSessionOnly() throws Exception {
        assertClosesThatSessionOnly(guest -> guest.session().tell(VhostUser.SET_FEATURES, new byte[4]));
    }

    @Test
    void payloadTooShortThatNeedsAReplyIsRefused() throws Exception {
        assertRefusedAndSessionGoesOn(VhostUser.SET_VRING_NUM, new byte[4]);
    }

    @Test
    void memoryTableWithoutItsFdsClosesThatSessionOnly() throws Exception {
        assertClosesThatSessionOnly(guest -> guest.session()
                .tell(
                        VhostUser.SET_MEM_TABLE,
                        Payload.memoryRegions(guest.memory().regions())));
    }

    @Test
    void memoryTableWithTooManyFdsClosesThatSessionOnly() throws Exception {
        assertClosesThatSessionOnly(guest -> guest.session()
                .tell(
                        VhostUser.SET_MEM_TABLE,
                        Payload.memoryRegions(guest.memory().regions()),
                        copies(guest.requestq().kick(), 3)));
    }

    @Test
    void memoryTableWithoutItsFdsThatNeedsAReplyIsRefused() throws Exception {
        Daemon daemon = daemons.startForGuests(1);
        try (EntropyDriver guest = negotiated(daemon)) {
            byte[] regions = Payload.memoryRegions(guest.memory().regions());

            assertNotEquals(0, guest.session().acknowledgementOf(VhostUser.SET_MEM_TABLE, regions));
        }
    }

    @Test
    void memoryTableOfFdsThatAreNoMemoryIsRefused() throws Exception {
        Daemon daemon = daemons.startForGuests(1);
        try (EntropyDriver guest = negotiated(daemon)) {
            byte[] regions = Payload.memoryRegions(guest.memory().regions());
            int[] noMemory = copies(guest.requestq().kick(), 2);

            assertNotEquals(0, guest.session().acknowledgementOf(VhostUser.SET_MEM_TABLE, regions, noMemory));
        }
    }

    @Test
    void memoryTableThatCountsMoreRegionsThanItHasIsRefused() throws Exception {
        assertRefusedAndSessionGoesOn(VhostUser.SET_MEM_TABLE, Payload.vringState(8, 0));
    }

    @Test
    void vringIndexOutOfRangeClosesThatSessionOnly() throws Exception {
        assertClosesThatSessionOnly(guest -> guest.session().setVringNum(1, 4));
    }

    @Test
    void vringIndexOutOfRangeThatNeedsAReplyIsRefused() throws Exception {
        assertRefusedAndSessionGoesOn(VhostUser.SET_VRING_BASE, Payload.vringState(1, 0));
    }

    @Test
    void negativeVringIndexThatNeedsAReplyIsRefused() throws Exception {
        assertRefusedAndSessionGoesOn(VhostUser.SET_VRING_NUM, Payload.vringState(-1, 4));
    }

    @Test
    void getVringBaseOutOfRangeClosesThatSessionOnly() throws Exception {
        assertClosesThatSessionOnly(guest -> guest.session().tell(VhostUser.GET_VRING_BASE, Payload.vringState(7, 0)));
    }

    @Test
    void moreFdsThanAMessageMayHaveCloseThatSessionOnly() throws Exception {
        assertClosesThatSessionOnly(guest -> guest.session()
                .socket()
                .send(
                        VhostUser.SET_OWNER,
                        0,
                        Payload.none(),
                        copies(guest.requestq().kick(), VhostUser.MAX_FDS + 1)));
    }

    @Test
    void fdsOfRefusedMessagesAreClosed() throws Exception {
        Daemon daemon = daemons.startForGuests(1);
        try (EntropyDriver guest = negotiated(daemon)) {
            assertNotEquals(0, guest.session().acknowledgementOf(UNKNOWN_REQUEST, Payload.none()));
            int before = daemon.fds().size();

            for (int i = 0; i < 20; i++) {
                int[] fds = copies(guest.requestq().kick(), VhostUser.MAX_FDS);
                assertNotEquals(0, guest.session().acknowledgementOf(UNKNOWN_REQUEST, Payload.none(), fds));
            }

            assertEquals(before, daemon.fds().size());
        }
    }

    @Test
    void fdsOfMessagesThatCloseTheSessionAreClosed() throws Exception {
        Daemon daemon = daemons.startForGuests(1);
        sendTooManyFds(daemon);
        int before = daemon.fds().size();

        for (int i = 0; i < 20; i++) {
            sendTooManyFds(daemon);
        }

        eventually("the fds are closed", () -> daemon.fds().size() <= before);
    }

    private static void sendTooManyFds(Daemon daemon) throws IOException {
        try (EntropyDriver guest = negotiated(daemon)) {
            int[] fds = copies(guest.requestq().kick(), VhostUser.MAX_FDS + 1);
            guest.session().socket().send(VhostUser.SET_OWNER, 0, Payload.none(), fds);
            assertTrue(guest.session().socket().awaitClosed(PATIENCE));
        }
    }

    @Test
    void messageInPiecesIsAnswered() throws Exception {
        Daemon daemon = daemons.startForGuests(1);
        byte[] message = Payload.message(VhostUser.GET_FEATURES, VhostUser.FLAG_VERSION, Payload.none());

        try (FrontendSocket socket = FrontendSocket.connect(daemon.socket(0))) {
            for (byte piece : message) {
                socket.sendRaw(new byte[] {piece});
            }

            assertNotEquals(0, socket.receive(VhostUser.GET_FEATURES, PATIENCE).u64());
        }
    }

    @Test
    void twoMessagesAtOnceAreBothAnswered() throws Exception {
        Daemon daemon = daemons.startForGuests(1);
        byte[] message = Payload.message(VhostUser.GET_FEATURES, VhostUser.FLAG_VERSION, Payload.none());
        byte[] both = Arrays.copyOf(message, 2 * message.length);
        System.arraycopy(message, 0, both, message.length, message.length);

        try (FrontendSocket socket = FrontendSocket.connect(daemon.socket(0))) {
            socket.sendRaw(both);

            assertNotEquals(0, socket.receive(VhostUser.GET_FEATURES, PATIENCE).u64());
            assertNotEquals(0, socket.receive(VhostUser.GET_FEATURES, PATIENCE).u64());
        }
    }

    @Test
    void frontEndThatStopsInTheMiddleOfAMessageHoldsUpNobodyElse() throws Exception {
        Daemon daemon = daemons.startForGuests(2);

        try (EntropyDriver neighbour = warmed(EntropyDriver.start(daemon.socket(1)));
                FrontendSocket socket = FrontendSocket.connect(daemon.socket(0))) {
            socket.sendRaw(new byte[] {1, 0, 0, 0, 1});

            assertServedPromptly(neighbour);
            assertFalse(socket.awaitClosed(A_WHILE));
        }
    }

    @Test
    void frontEndThatGoesInTheMiddleOfAMessageFreesTheSocket() throws Exception {
        Daemon daemon = daemons.startForGuests(1);
        try (FrontendSocket socket = FrontendSocket.connect(daemon.socket(0))) {
            socket.sendRaw(new byte[] {1, 0, 0, 0, 1});
        }

        try (EntropyDriver next = EntropyDriver.start(daemon.socket(0))) {
            assertEquals(64, next.request(64, PATIENCE).length);
        }
    }
}
