package org.vhostuserrng.it.vfiouser;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.it.fixture.EventualAssertions.HANG_TIMEOUT;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vhostuserrng.frontend.EntropyDriver;
import org.vhostuserrng.frontend.FrontendMemoryRegion;
import org.vhostuserrng.frontend.VfioUserClient;
import org.vhostuserrng.frontend.VfioUserEntropyDriver;
import org.vhostuserrng.it.fixture.RandomnessAssertions;
import org.vhostuserrng.it.fixture.daemon.ControlClient;
import org.vhostuserrng.it.fixture.daemon.DaemonExtension;
import org.vhostuserrng.it.fixture.daemon.DaemonProcess;

/** A guest whose client speaks vfio-user, beside guests that use vhost-user. */
class VfioUserIT {
    private static final int REQUEST_BYTES = 4096;

    @RegisterExtension
    private final DaemonExtension daemons = new DaemonExtension();

    private Path socket;
    private DaemonProcess daemon;

    @BeforeEach
    void chooseSocket() {
        socket = daemons.directory().resolve("vfio.sock");
    }

    private void start(String... options) throws IOException {
        daemon = daemons.startWithVfioUser(socket, options);
    }

    private VfioUserEntropyDriver guest() throws IOException {
        return guest(true);
    }

    private VfioUserEntropyDriver guest(boolean shared) throws IOException {
        return shared
                ? VfioUserEntropyDriver.start(socket, HANG_TIMEOUT)
                : VfioUserEntropyDriver.startWithoutDescriptor(socket, HANG_TIMEOUT);
    }

    @Test
    void aGuestReadsRandomBytes() throws Exception {
        start();
        ByteArrayOutputStream received = new ByteArrayOutputStream();
        try (VfioUserEntropyDriver guest = guest()) {
            while (received.size() < 1 << 20 && !Thread.currentThread().isInterrupted()) {
                received.write(guest.request(REQUEST_BYTES, HANG_TIMEOUT));
            }
        }

        RandomnessAssertions.assertLooksRandom(received.toByteArray());
    }

    @Test
    void aGuestIsServedWithIntx() throws Exception {
        start();
        try (VfioUserEntropyDriver guest = VfioUserEntropyDriver.startWithIntx(socket, HANG_TIMEOUT)) {
            for (int i = 0; i < 100; i++) {
                assertEquals(64, guest.request(64, HANG_TIMEOUT).length);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aGuestIsServedAfterResets(boolean shared) throws Exception {
        start();
        try (VfioUserEntropyDriver guest = guest(shared)) {
            guest.request(64, HANG_TIMEOUT);

            guest.startDevice();
            int afterStatus = guest.request(64, HANG_TIMEOUT).length;
            guest.resetFunction();
            int afterReset = guest.request(64, HANG_TIMEOUT).length;
            guest.functionLevelReset();
            int afterFunctionLevelReset = guest.request(64, HANG_TIMEOUT).length;

            assertEquals(64, afterStatus);
            assertEquals(64, afterReset);
            assertEquals(64, afterFunctionLevelReset);
        }
    }

    /** QEMU removes and adds all memory several times while the firmware and the guest start. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aGuestIsServedAfterItsMemoryWasRemovedForAMoment(boolean shared) throws Exception {
        start();
        try (VfioUserEntropyDriver guest = guest(shared)) {
            for (int i = 0; i < 20; i++) {
                assertEquals(64, guest.request(64, HANG_TIMEOUT).length);
                guest.client().unmap(guest.memory());
                guest.mapMemory();
            }

            assertFalse(guest.needsReset());
        }
    }

    /** After the reply to DMA_UNMAP, the device must not write to the memory: VFIO_USER_DMA_UNMAP. */
    @Test
    void removedMemoryIsNotWritten() throws Exception {
        start();
        try (VfioUserEntropyDriver guest = guest()) {
            guest.request(64, HANG_TIMEOUT);
            guest.client().unmap(guest.memory());
            byte[] before = bytes(guest.memory());
            guest.ring().makeAvailable(guest.ring().addWritableBuffer(VfioUserEntropyDriver.BUFFER_ADDRESS, 64));
            byte[] available = bytes(guest.memory());

            guest.kick();
            guest.status();

            assertFalse(Arrays.equals(before, available));
            assertArrayEquals(available, bytes(guest.memory()));
            assertTrue(guest.needsReset());
        }
    }

    private static byte[] bytes(FrontendMemoryRegion memory) {
        return memory.segment().toArray(ValueLayout.JAVA_BYTE);
    }

    @Test
    void aBrokenDeviceIsServedAfterAReset() throws Exception {
        start();
        try (VfioUserEntropyDriver guest = guest()) {
            guest.ring().makeAvailable(guest.ring().addWritableBuffer(0xdead_0000L, 64));
            guest.kick();
            boolean broken = guest.needsReset();

            guest.startDevice();

            assertTrue(broken);
            assertEquals(64, guest.request(64, HANG_TIMEOUT).length);
        }
    }

    @Test
    void aSecondClientIsRefusedWhileTheFirstIsServed() throws Exception {
        start();
        try (VfioUserEntropyDriver guest = guest();
                VfioUserClient second = VfioUserClient.connect(socket, HANG_TIMEOUT)) {
            assertTrue(second.awaitClosed(HANG_TIMEOUT), "the second client waits");

            assertEquals(64, guest.request(64, HANG_TIMEOUT).length);
        }
    }

    @Test
    void clientsAreServedOneAfterTheOther() throws Exception {
        start();
        for (int i = 0; i < 20; i++) {
            try (VfioUserEntropyDriver guest = guest()) {
                assertEquals(64, guest.request(64, HANG_TIMEOUT).length);
            }
        }
    }

    @Test
    void aGuestGetsNoMoreThanItsLimit() throws Exception {
        start("--guest=vfio.sock,max-bytes=1000,period=65536,limit-mode=window");
        try (VfioUserEntropyDriver guest = guest()) {
            int first = guest.request(600, HANG_TIMEOUT).length;
            int second = guest.request(600, HANG_TIMEOUT).length;

            assertEquals(600, first);
            assertEquals(400, second);
        }
    }

    @Test
    void guestsOfBothProtocolsAreServedAndListed() throws Exception {
        Path control = daemons.directory().resolve("control.sock");
        start("--control-socket=" + control);
        try (VfioUserEntropyDriver one = guest();
                EntropyDriver other = EntropyDriver.start(daemon.socket())) {
            assertEquals(64, one.request(64, HANG_TIMEOUT).length);
            assertEquals(64, other.request(64, HANG_TIMEOUT).length);

            String list = ControlClient.request(control, "list");
            String shown = ControlClient.request(control, "show", "vfio.sock");
            assertTrue(list.contains("guest=socket\tstate=running"), list);
            assertTrue(list.contains("guest=vfio.sock\tstate=running"), list);
            assertTrue(shown.contains("pid " + ProcessHandle.current().pid()), shown);
        }
    }

    @Test
    void healthCountsTheGuestsOfBothProtocols() throws Exception {
        Path control = daemons.directory().resolve("control");
        start("--control-socket=" + control);

        String health = ControlClient.request(control, "health");

        assertTrue(health.contains("guests=2"), health);
    }

    @Test
    void theDaemonStopsAndRemovesTheSocket() throws Exception {
        start();
        try (VfioUserEntropyDriver guest = guest()) {
            guest.request(64, HANG_TIMEOUT);

            daemon.terminate();

            assertEquals(0, daemon.awaitExit());
            assertFalse(Files.exists(socket));
            assertTrue(guest.client().awaitClosed(HANG_TIMEOUT));
        }
    }
}
