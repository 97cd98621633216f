package org.vhostuserrng.it.vfiouser;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.it.fixture.EventualAssertions.HANG_TIMEOUT;
import static org.vhostuserrng.it.fixture.EventualAssertions.assertEventually;

import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vhostuserrng.frontend.FrontendEventFd;
import org.vhostuserrng.frontend.VfioUserClient;
import org.vhostuserrng.it.fixture.daemon.DaemonExtension;
import org.vhostuserrng.it.fixture.daemon.DaemonProcess;

/** The daemon keeps no descriptor longer than its interrupt or DMA region. */
class VfioUserDescriptorsIT {
    private static final int ROUNDS = 100;
    private static final int EVENTFD_TRIGGER = VfioUserClient.DATA_EVENTFD | VfioUserClient.ACTION_TRIGGER;

    @RegisterExtension
    private final DaemonExtension daemons = new DaemonExtension();

    private DaemonProcess daemon;
    private Path socket;

    @BeforeEach
    void start() throws Exception {
        socket = daemons.directory().resolve("vfio.sock");
        daemon = daemons.startWithVfioUser(socket);
    }

    private VfioUserClient negotiated() throws Exception {
        VfioUserClient client = VfioUserClient.connect(socket, HANG_TIMEOUT);
        client.negotiate();
        return client;
    }

    private void assertAsManyDescriptorsAs(int before) {
        assertEventually(
                "as many file descriptors as before",
                () -> daemon.openFdTargets().size() == before);
    }

    @ParameterizedTest
    @CsvSource({
        // A boolean, two eventfds for one vector, another action, an index that does not exist
        "0x22, 2, 1",
        "0x24, 2, 1",
        "0xc, 2, 2",
        "0x24, 9, 2"
    })
    void descriptorsOfARefusedCommandAreClosed(String flags, int index, int count) throws Exception {
        try (VfioUserClient client = negotiated();
                FrontendEventFd first = new FrontendEventFd();
                FrontendEventFd second = new FrontendEventFd()) {
            int before = daemon.settledFdTargets().size();

            for (int i = 0; i < ROUNDS && !Thread.currentThread().isInterrupted(); i++) {
                byte[] payload = VfioUserClient.irqSet(Integer.decode(flags), index, 0, count);
                assertTrue(client.command(VfioUserClient.DEVICE_SET_IRQS, payload, first.fd(), second.fd())
                        .isError());
            }

            assertAsManyDescriptorsAs(before);
        }
    }

    @Test
    void replacedEventfdsAreClosed() throws Exception {
        try (VfioUserClient client = negotiated();
                FrontendEventFd first = new FrontendEventFd();
                FrontendEventFd second = new FrontendEventFd()) {
            client.setEventfds(VfioUserClient.MSIX_IRQ, first, second);
            int before = daemon.settledFdTargets().size();

            for (int i = 0; i < ROUNDS && !Thread.currentThread().isInterrupted(); i++) {
                client.setEventfds(VfioUserClient.MSIX_IRQ, first, second);
            }

            assertAsManyDescriptorsAs(before);
        }
    }

    @Test
    void eventfdsOfAClientThatDisconnectsAreClosed() throws Exception {
        int before = daemon.settledFdTargets().size();

        for (int i = 0; i < ROUNDS && !Thread.currentThread().isInterrupted(); i++) {
            try (VfioUserClient client = negotiated();
                    FrontendEventFd eventfd = new FrontendEventFd()) {
                client.setEventfds(VfioUserClient.INTX_IRQ, eventfd);
            }
        }

        assertAsManyDescriptorsAs(before);
    }

    @Test
    void bothEventfdsOfOneCommandAreAssigned() throws Exception {
        try (VfioUserClient client = negotiated();
                FrontendEventFd first = new FrontendEventFd();
                FrontendEventFd second = new FrontendEventFd()) {
            client.setEventfds(VfioUserClient.MSIX_IRQ, first, second);

            client.require(
                    VfioUserClient.DEVICE_SET_IRQS,
                    VfioUserClient.irqSet(
                            VfioUserClient.DATA_NONE | VfioUserClient.ACTION_TRIGGER, VfioUserClient.MSIX_IRQ, 1, 1));

            assertEquals(0, first.read());
            assertEquals(1, second.read());
        }
    }

    @Test
    void commandWithFewerEventfdsThanInterruptsChangesNothing() throws Exception {
        try (VfioUserClient client = negotiated();
                FrontendEventFd first = new FrontendEventFd();
                FrontendEventFd second = new FrontendEventFd();
                FrontendEventFd other = new FrontendEventFd()) {
            client.setEventfds(VfioUserClient.MSIX_IRQ, first, second);

            assertTrue(client.command(
                            VfioUserClient.DEVICE_SET_IRQS,
                            VfioUserClient.irqSet(EVENTFD_TRIGGER, VfioUserClient.MSIX_IRQ, 0, 2),
                            other.fd())
                    .isError());
            client.require(
                    VfioUserClient.DEVICE_SET_IRQS,
                    VfioUserClient.irqSet(
                            VfioUserClient.DATA_NONE | VfioUserClient.ACTION_TRIGGER, VfioUserClient.MSIX_IRQ, 0, 2));

            assertEquals(1, first.read());
            assertEquals(1, second.read());
            assertEquals(0, other.read());
        }
    }
}
