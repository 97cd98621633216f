package org.vhostuserrng.it.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.it.fixture.EventualAssertions.HANG_TIMEOUT;

import java.io.IOException;
import jnr.unixsocket.UnixServerSocketChannel;
import jnr.unixsocket.UnixSocketAddress;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.vhostuserrng.frontend.EntropyDriver;
import org.vhostuserrng.frontend.EntropyDriver.Options;
import org.vhostuserrng.frontend.FrontendMessageType;
import org.vhostuserrng.frontend.FrontendPayloadEncoder;
import org.vhostuserrng.frontend.FrontendSession;
import org.vhostuserrng.frontend.FrontendSocket;
import org.vhostuserrng.frontend.VirtioFeatureBit;
import org.vhostuserrng.it.fixture.daemon.DaemonExtension;
import org.vhostuserrng.it.fixture.daemon.DaemonProcess;

/** Tests {@code --connect}: the VMM listens (QEMU's server=on); the daemon connects and reconnects. */
class ConnectOptionIT {
    @RegisterExtension
    private final DaemonExtension daemons = new DaemonExtension();

    private UnixServerSocketChannel listener;

    @AfterEach
    void closeListener() throws IOException {
        if (listener != null) {
            listener.close();
        }
    }

    private void listen() throws IOException {
        listener = UnixServerSocketChannel.open();
        listener.socket().bind(new UnixSocketAddress(daemons.socketPath().toFile()));
    }

    private FrontendSocket accept() throws IOException {
        return FrontendSocket.wrap(listener.accept());
    }

    private static void assertServed(EntropyDriver guest) throws IOException {
        assertEquals(64, guest.request(64, HANG_TIMEOUT).length);
    }

    @Test
    void listeningFrontEndIsServed() throws Exception {
        listen();
        daemons.launchInConnectMode();

        try (EntropyDriver guest = EntropyDriver.start(accept(), Options.DEFAULT)) {
            assertServed(guest);
        }
    }

    @Test
    void daemonConnectsOnceTheFrontEndListens() throws Exception {
        daemons.launchInConnectMode();
        listen();

        try (EntropyDriver guest = EntropyDriver.start(accept(), Options.DEFAULT)) {
            assertServed(guest);
        }
    }

    @Test
    void daemonReconnectsAfterTheConnectionIsLost() throws Exception {
        listen();
        daemons.launchInConnectMode();
        EntropyDriver.start(accept(), Options.DEFAULT).close();

        try (EntropyDriver guest = EntropyDriver.start(accept(), Options.DEFAULT)) {
            assertServed(guest);
        }
    }

    @Test
    void sessionResumedWithoutNegotiationIsServedWithoutAKick() throws Exception {
        listen();
        DaemonProcess first = daemons.launchInConnectMode();
        try (EntropyDriver guest = EntropyDriver.start(accept(), Options.DEFAULT)) {
            guest.request(64, HANG_TIMEOUT);
            first.close();
            guest.ring().makeAvailable(guest.ring().addWritableBuffer(EntropyDriver.BUFFER_ADDRESS, 64));

            daemons.launchInConnectMode();
            try (FrontendSession resumed = new FrontendSession(accept(), HANG_TIMEOUT)) {
                resume(resumed, guest);

                assertTrue(guest.awaitUsed(HANG_TIMEOUT));
            }
        }
    }

    /**
     * Sends the messages that QEMU 7.2 sends to a back-end that has reconnected: QEMU does not negotiate features
     * again, but sets need_reply.
     */
    private static void resume(FrontendSession resumed, EntropyDriver guest) throws IOException {
        int ring = 0;
        resumed.setVringCall(ring, guest.requestq().call());
        resumed.setFeatures(guest.features() | VirtioFeatureBit.PROTOCOL_FEATURES.mask());
        byte[] table = FrontendPayloadEncoder.memoryRegions(guest.memory().regions());
        assertEquals(
                0,
                resumed.sendWithNeedReply(
                        FrontendMessageType.SET_MEM_TABLE.id(),
                        table,
                        guest.memory().fds()));
        resumed.setVringNum(ring, guest.requestq().addresses().queueSize());
        resumed.setVringBase(ring, guest.ring().usedIdx());
        resumed.setVringAddr(ring, guest.requestq().addresses(), guest.memory());
        resumed.setVringKick(ring, guest.requestq().kick());
        resumed.setVringEnable(ring, true);
        resumed.setVringCall(ring, guest.requestq().call());
    }
}
