package org.vhostuserrng.it.session;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.frontend.FrontendVhostUserConstants.DEVICE_STATE_LOAD;
import static org.vhostuserrng.frontend.FrontendVhostUserConstants.DEVICE_STATE_NOFD_MASK;
import static org.vhostuserrng.frontend.FrontendVhostUserConstants.DEVICE_STATE_SAVE;
import static org.vhostuserrng.frontend.FrontendVhostUserConstants.DEVICE_STATE_STOPPED;
import static org.vhostuserrng.it.fixture.EventualAssertions.HANG_TIMEOUT;
import static org.vhostuserrng.it.fixture.EventualAssertions.QUIET_PERIOD;
import static org.vhostuserrng.it.fixture.EventualAssertions.assertEventually;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vhostuserrng.frontend.BackendProtocolException;
import org.vhostuserrng.frontend.EntropyDriver;
import org.vhostuserrng.frontend.EntropyDriver.Options;
import org.vhostuserrng.frontend.FrontendDeviceStatePipe;
import org.vhostuserrng.frontend.FrontendEventFd;
import org.vhostuserrng.frontend.FrontendMessageType;
import org.vhostuserrng.frontend.FrontendPayloadEncoder;
import org.vhostuserrng.frontend.ProtocolFeatureBit;
import org.vhostuserrng.it.fixture.daemon.DaemonExtension;
import org.vhostuserrng.it.fixture.daemon.DaemonProcess;

/**
 * Tests VHOST_USER_PROTOCOL_F_DEVICE_STATE: the usage of the rate limit and the counters migrate with a guest to
 * another daemon.
 */
class DeviceStateMigrationIT {
    /** The period is longer than the test, so that a throttled guest stays throttled. */
    private static final String PERIOD = "--period=60000";

    private static final String MAX_BYTES = "--max-bytes=1000";
    /** The mode in which a guest may use all bytes of a window at once. */
    private static final String WINDOW = "--limit-mode=window";

    private static final Options OPTIONS = Options.DEFAULT.withProtocolFeatures(
            ProtocolFeatureBit.REPLY_ACK.mask() | ProtocolFeatureBit.DEVICE_STATE.mask());

    @RegisterExtension
    private final DaemonExtension daemons = new DaemonExtension();

    private EntropyDriver initialised(String... options) throws IOException {
        return EntropyDriver.initialise(daemons.start(options).socket(), OPTIONS);
    }

    private static void start(EntropyDriver guest) throws IOException {
        guest.session()
                .start(
                        guest.requestq(),
                        guest.memory(),
                        guest.features(),
                        guest.driverRing().vringBase());
    }

    private static long transfer(EntropyDriver guest, int direction, FrontendDeviceStatePipe pipe) throws IOException {
        int end = direction == DEVICE_STATE_SAVE ? pipe.writeEnd() : pipe.readEnd();
        return guest.session().setDeviceStateFd(direction, DEVICE_STATE_STOPPED, end);
    }

    private static byte[] save(EntropyDriver guest) throws IOException {
        try (FrontendDeviceStatePipe pipe = new FrontendDeviceStatePipe()) {
            assertEquals(DEVICE_STATE_NOFD_MASK, transfer(guest, DEVICE_STATE_SAVE, pipe));
            pipe.closeWriteEnd();
            byte[] state = pipe.readAll(HANG_TIMEOUT);
            assertEquals(0, guest.session().checkDeviceState());
            return state;
        }
    }

    /** Loads a device state, and returns the reply to CHECK_DEVICE_STATE. */
    private static long load(EntropyDriver guest, byte[] state) throws IOException {
        try (FrontendDeviceStatePipe pipe = new FrontendDeviceStatePipe()) {
            assertEquals(DEVICE_STATE_NOFD_MASK, transfer(guest, DEVICE_STATE_LOAD, pipe));
            pipe.closeReadEnd();
            pipe.write(state);
            pipe.closeWriteEnd();
            return guest.session().checkDeviceState();
        }
    }

    private static void assertRejected(long reply) {
        assertNotEquals(0, reply & 0xff);
        assertEquals(DEVICE_STATE_NOFD_MASK, reply & DEVICE_STATE_NOFD_MASK);
    }

    private static void assertServes(EntropyDriver guest) throws IOException {
        start(guest);
        assertEquals(64, guest.request(64, HANG_TIMEOUT).length);
    }

    @Test
    void throttledGuestStaysThrottledAfterTheMigration() throws Exception {
        // Start both daemons before the guest is throttled, because the start of a daemon takes a part of the period.
        DaemonProcess destination = daemons.startWithSockets(1, MAX_BYTES, PERIOD, WINDOW);
        try (EntropyDriver guest = initialised(MAX_BYTES, PERIOD, WINDOW);
                EntropyDriver migrated = EntropyDriver.initialise(destination.socket(0), OPTIONS)) {
            start(guest);
            assertEquals(1000, guest.request(1000, HANG_TIMEOUT).length);
            guest.session().stop();

            assertEquals(0, load(migrated, save(guest)));
            start(migrated);
            migrated.makeAvailableAndKick(migrated.ring().addWritableBuffer(EntropyDriver.BUFFER_ADDRESS, 64));

            assertFalse(migrated.awaitUsed(QUIET_PERIOD));
        }
    }

    @Test
    void countersContinueAfterTheMigration() throws Exception {
        byte[] state;
        try (EntropyDriver guest = initialised()) {
            start(guest);
            guest.request(1000, HANG_TIMEOUT);
            guest.session().stop();
            state = save(guest);
        }
        daemons.killAll();
        try (EntropyDriver guest = initialised()) {
            load(guest, state);
            start(guest);
            guest.request(64, HANG_TIMEOUT);
        }

        assertEventually(
                "the log adds up both sessions",
                () -> daemons.lastStarted().log().contains("served so far: 2 requests, 1064 bytes"));
    }

    @Test
    void deviceCanBeRestartedAfterItsStateWasSaved() throws Exception {
        try (EntropyDriver guest = initialised()) {
            start(guest);
            guest.request(64, HANG_TIMEOUT);
            int base = guest.session().stop();
            save(guest);

            guest.session().startRing(guest.requestq(), guest.memory(), base);

            assertEquals(64, guest.request(64, HANG_TIMEOUT).length);
        }
    }

    @Test
    void stateIsSavedOnceAFullPipeIsRead() throws Exception {
        try (EntropyDriver guest = initialised();
                FrontendDeviceStatePipe pipe = new FrontendDeviceStatePipe()) {
            long filled = pipe.fill();
            assertEquals(DEVICE_STATE_NOFD_MASK, transfer(guest, DEVICE_STATE_SAVE, pipe));
            pipe.closeWriteEnd();

            byte[] all = pipe.readAll(HANG_TIMEOUT);

            assertEquals(0, guest.session().checkDeviceState());
            assertEquals(0, load(guest, Arrays.copyOfRange(all, (int) filled, all.length)));
        }
    }

    @Test
    void fullPipeDoesNotBlockOtherGuests() throws Exception {
        DaemonProcess daemon = daemons.startWithSockets(2);
        try (EntropyDriver guest = EntropyDriver.initialise(daemon.socket(0), OPTIONS);
                FrontendDeviceStatePipe pipe = new FrontendDeviceStatePipe();
                EntropyDriver other = EntropyDriver.start(daemon.socket(1))) {
            pipe.fill();
            transfer(guest, DEVICE_STATE_SAVE, pipe);

            // The transfer does not end, because the test does not read the pipe.
            assertEquals(64, other.request(64, HANG_TIMEOUT).length);
        }
    }

    @Test
    void checkIsAnsweredAfterTheStateWasLoaded() throws Exception {
        try (EntropyDriver guest = initialised();
                FrontendDeviceStatePipe pipe = new FrontendDeviceStatePipe()) {
            byte[] state = save(guest);
            transfer(guest, DEVICE_STATE_LOAD, pipe);
            pipe.write(Arrays.copyOf(state, 10));
            guest.session().send(FrontendMessageType.CHECK_DEVICE_STATE.id(), FrontendPayloadEncoder.none());
            boolean early = guest.session().socket().awaitReadable(QUIET_PERIOD);

            pipe.write(Arrays.copyOfRange(state, 10, state.length));
            pipe.closeWriteEnd();

            assertFalse(early);
            assertEquals(
                    0,
                    guest.session()
                            .socket()
                            .receive(FrontendMessageType.CHECK_DEVICE_STATE.id(), HANG_TIMEOUT)
                            .u64());
        }
    }

    @Test
    void messageWhileACheckIsPendingEndsTheSession() throws Exception {
        try (EntropyDriver guest = initialised();
                FrontendDeviceStatePipe pipe = new FrontendDeviceStatePipe()) {
            transfer(guest, DEVICE_STATE_LOAD, pipe);
            guest.session().send(FrontendMessageType.CHECK_DEVICE_STATE.id(), FrontendPayloadEncoder.none());

            assertThrows(BackendProtocolException.class, () -> guest.session().getFeatures());
        }

        try (EntropyDriver next = EntropyDriver.start(daemons.lastStarted().socket())) {
            assertEquals(64, next.request(64, HANG_TIMEOUT).length);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 15, 59, 60, 4096, 4097, 60000})
    void invalidStateIsRejected(int length) throws Exception {
        try (EntropyDriver guest = initialised()) {
            long reply = load(guest, new byte[length]);

            assertNotEquals(0, reply);
            assertServes(guest);
        }
    }

    @Test
    void corruptOrTruncatedStateIsRejected() throws Exception {
        try (EntropyDriver guest = initialised()) {
            byte[] state = save(guest);
            for (int i = 0; i < state.length; i++) {
                byte[] changed = state.clone();
                changed[i] ^= 0x20;
                assertNotEquals(0, load(guest, changed), "byte " + i + " changed");
                assertNotEquals(0, load(guest, Arrays.copyOf(state, i)), i + " bytes");
            }

            assertArrayEquals(state, save(guest));
        }
    }

    @ParameterizedTest
    @CsvSource({"2, 0", "-1, 0", "0, 1", "1, -1"})
    void unknownDirectionsAndPhasesAreRejected(int direction, int phase) throws Exception {
        try (EntropyDriver guest = initialised();
                FrontendDeviceStatePipe pipe = new FrontendDeviceStatePipe()) {
            assertRejected(guest.session().setDeviceStateFd(direction, phase, pipe.writeEnd()));
            assertNotEquals(0, guest.session().checkDeviceState());
            assertServes(guest);
        }
    }

    @Test
    void transferIsRejectedWhileARingRuns() throws Exception {
        try (EntropyDriver guest = initialised();
                FrontendDeviceStatePipe pipe = new FrontendDeviceStatePipe()) {
            start(guest);
            guest.request(64, HANG_TIMEOUT);

            assertRejected(transfer(guest, DEVICE_STATE_SAVE, pipe));
            assertEquals(64, guest.request(64, HANG_TIMEOUT).length);
        }
    }

    @Test
    void stateIsNotLoadedIntoADeviceThatWasStartedMeanwhile() throws Exception {
        try (EntropyDriver guest = initialised();
                FrontendDeviceStatePipe pipe = new FrontendDeviceStatePipe()) {
            byte[] state = save(guest);
            transfer(guest, DEVICE_STATE_LOAD, pipe);
            start(guest);
            pipe.write(state);
            pipe.closeWriteEnd();

            assertNotEquals(0, guest.session().checkDeviceState());
        }
    }

    @Test
    void descriptorThatIsNotAPipeIsRejected() throws Exception {
        try (EntropyDriver guest = initialised();
                FrontendEventFd eventFd = new FrontendEventFd()) {
            assertRejected(guest.session().setDeviceStateFd(DEVICE_STATE_SAVE, DEVICE_STATE_STOPPED, eventFd.fd()));
            assertRejected(guest.session()
                    .setDeviceStateFd(
                            DEVICE_STATE_LOAD,
                            DEVICE_STATE_STOPPED,
                            guest.bufferRegion().fd()));
        }
    }

    @Test
    void wrongEndOfThePipeFailsTheTransfer() throws Exception {
        try (EntropyDriver guest = initialised();
                FrontendDeviceStatePipe pipe = new FrontendDeviceStatePipe()) {
            guest.session().setDeviceStateFd(DEVICE_STATE_SAVE, DEVICE_STATE_STOPPED, pipe.readEnd());
            assertNotEquals(0, guest.session().checkDeviceState());
            guest.session().setDeviceStateFd(DEVICE_STATE_LOAD, DEVICE_STATE_STOPPED, pipe.writeEnd());
            assertNotEquals(0, guest.session().checkDeviceState());
            assertServes(guest);
        }
    }

    @Test
    void pipeWithoutAReaderFailsTheTransfer() throws Exception {
        try (EntropyDriver guest = initialised();
                FrontendDeviceStatePipe pipe = new FrontendDeviceStatePipe()) {
            pipe.closeReadEnd();
            transfer(guest, DEVICE_STATE_SAVE, pipe);

            assertNotEquals(0, guest.session().checkDeviceState());
        }
    }

    @Test
    void checkWithoutATransferFails() throws Exception {
        try (EntropyDriver guest = initialised()) {
            assertNotEquals(0, guest.session().checkDeviceState());
        }
    }

    @Test
    void transfersLeakNoDescriptors() throws Exception {
        try (EntropyDriver guest = initialised();
                FrontendDeviceStatePipe full = new FrontendDeviceStatePipe()) {
            full.fill();
            transfer(guest, DEVICE_STATE_SAVE, full);
            save(guest);
            List<String> before = withoutInodes(daemons.lastStarted().settledFdTargets());

            for (int i = 0; i < 50; i++) {
                transfer(guest, DEVICE_STATE_SAVE, full);
                save(guest);
            }

            assertEquals(before, withoutInodes(daemons.lastStarted().settledFdTargets()));
        }
    }

    private static List<String> withoutInodes(List<String> fds) {
        return fds.stream().map(fd -> fd.replaceAll("\\[\\d+]", "")).toList();
    }

    @Test
    void messagesAreRejectedUnlessTheFeatureWasNegotiated() throws Exception {
        Options without = OPTIONS.withProtocolFeatures(ProtocolFeatureBit.REPLY_ACK.mask());
        try (EntropyDriver guest = EntropyDriver.initialise(daemons.start().socket(), without);
                FrontendDeviceStatePipe pipe = new FrontendDeviceStatePipe()) {
            byte[] save = FrontendPayloadEncoder.vringState(DEVICE_STATE_SAVE, DEVICE_STATE_STOPPED);

            assertNotEquals(
                    0,
                    guest.session()
                            .sendWithNeedReply(FrontendMessageType.SET_DEVICE_STATE_FD.id(), save, pipe.writeEnd()));
            assertNotEquals(
                    0,
                    guest.session()
                            .sendWithNeedReply(
                                    FrontendMessageType.CHECK_DEVICE_STATE.id(), FrontendPayloadEncoder.none()));
            assertTrue(daemons.lastStarted().isAlive());
        }
    }
}
