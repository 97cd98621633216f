package org.vhostuserrng.it;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.frontend.FrontendVhostUserSpec.DEVICE_STATE_LOAD;
import static org.vhostuserrng.frontend.FrontendVhostUserSpec.DEVICE_STATE_NOFD_MASK;
import static org.vhostuserrng.frontend.FrontendVhostUserSpec.DEVICE_STATE_SAVE;
import static org.vhostuserrng.frontend.FrontendVhostUserSpec.DEVICE_STATE_STOPPED;
import static org.vhostuserrng.it.EventualAssertions.A_WHILE;
import static org.vhostuserrng.it.EventualAssertions.PATIENCE;
import static org.vhostuserrng.it.EventualAssertions.eventually;

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
import org.vhostuserrng.frontend.FrontendEventFd;
import org.vhostuserrng.frontend.FrontendMessageType;
import org.vhostuserrng.frontend.FrontendPayloadEncoder;
import org.vhostuserrng.frontend.FrontendStatePipe;
import org.vhostuserrng.frontend.ProtocolFeatureBit;

/** VHOST_USER_PROTOCOL_F_DEVICE_STATE: quota and counters go with a guest to another daemon. */
class DeviceStateMigrationIT {
    /** Long enough for a guest that has used its quota up to wait for the whole test. */
    private static final String PERIOD = "--period=60000";

    private static final String MAX_BYTES = "--max-bytes=1000";
    /** All of them may be used up at once. */
    private static final String WINDOW = "--limit-mode=window";

    private static final Options OPTIONS = Options.DEFAULT.withProtocolFeatures(
            ProtocolFeatureBit.REPLY_ACK.mask() | ProtocolFeatureBit.DEVICE_STATE.mask());

    @RegisterExtension
    private final DaemonExtension daemons = new DaemonExtension();

    private EntropyDriver suspended(String... options) throws IOException {
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

    private static long offer(EntropyDriver guest, int direction, FrontendStatePipe pipe) throws IOException {
        int end = direction == DEVICE_STATE_SAVE ? pipe.writeEnd() : pipe.readEnd();
        return guest.session().setDeviceStateFd(direction, DEVICE_STATE_STOPPED, end);
    }

    private static byte[] save(EntropyDriver guest) throws IOException {
        try (FrontendStatePipe pipe = new FrontendStatePipe()) {
            assertEquals(DEVICE_STATE_NOFD_MASK, offer(guest, DEVICE_STATE_SAVE, pipe));
            pipe.closeWriteEnd();
            byte[] state = pipe.readAll(PATIENCE);
            assertEquals(0, guest.session().checkDeviceState());
            return state;
        }
    }

    /** The answer of CHECK_DEVICE_STATE. */
    private static long load(EntropyDriver guest, byte[] state) throws IOException {
        try (FrontendStatePipe pipe = new FrontendStatePipe()) {
            assertEquals(DEVICE_STATE_NOFD_MASK, offer(guest, DEVICE_STATE_LOAD, pipe));
            pipe.closeReadEnd();
            pipe.write(state);
            pipe.closeWriteEnd();
            return guest.session().checkDeviceState();
        }
    }

    private static void assertRefused(long reply) {
        assertNotEquals(0, reply & 0xff);
        assertEquals(DEVICE_STATE_NOFD_MASK, reply & DEVICE_STATE_NOFD_MASK);
    }

    private static void assertServes(EntropyDriver guest) throws IOException {
        start(guest);
        assertEquals(64, guest.request(64, PATIENCE).length);
    }

    @Test
    void quotaThatWasUsedUpIsUsedUpWhereTheGuestGoesOn() throws Exception {
        byte[] state;
        try (EntropyDriver guest = suspended(MAX_BYTES, PERIOD, WINDOW)) {
            start(guest);
            assertEquals(1000, guest.request(1000, PATIENCE).length);
            guest.session().stop();
            state = save(guest);
        }
        daemons.killAll();
        try (EntropyDriver guest = suspended(MAX_BYTES, PERIOD, WINDOW)) {
            assertEquals(0, load(guest, state));
            start(guest);

            guest.makeAvailableAndKick(guest.ring().addWritableBuffer(EntropyDriver.BUFFER_ADDRESS, 64));

            assertFalse(guest.awaitUsed(A_WHILE));
        }
    }

    @Test
    void countersGoOnWhereTheGuestGoesOn() throws Exception {
        byte[] state;
        try (EntropyDriver guest = suspended()) {
            start(guest);
            guest.request(1000, PATIENCE);
            guest.session().stop();
            state = save(guest);
        }
        daemons.killAll();
        try (EntropyDriver guest = suspended()) {
            load(guest, state);
            start(guest);
            guest.request(64, PATIENCE);
        }

        eventually("the log tells both", () -> daemons.latest().log().contains("so far 2 requests, 1064 bytes"));
    }

    @Test
    void deviceGoesOnAfterItsStateWasSaved() throws Exception {
        try (EntropyDriver guest = suspended()) {
            start(guest);
            guest.request(64, PATIENCE);
            int base = guest.session().stop();
            save(guest);

            guest.session().startRing(guest.requestq(), guest.memory(), base);

            assertEquals(64, guest.request(64, PATIENCE).length);
        }
    }

    @Test
    void stateIsSavedIntoAPipeThatIsFull() throws Exception {
        try (EntropyDriver guest = suspended();
                FrontendStatePipe pipe = new FrontendStatePipe()) {
            long filled = pipe.fill();
            assertEquals(DEVICE_STATE_NOFD_MASK, offer(guest, DEVICE_STATE_SAVE, pipe));
            pipe.closeWriteEnd();

            byte[] all = pipe.readAll(PATIENCE);

            assertEquals(0, guest.session().checkDeviceState());
            assertEquals(0, load(guest, Arrays.copyOfRange(all, (int) filled, all.length)));
        }
    }

    @Test
    void otherGuestsAreServedWhileAPipeStaysFull() throws Exception {
        DaemonProcess daemon = daemons.startForGuests(2);
        try (EntropyDriver guest = EntropyDriver.initialise(daemon.socket(0), OPTIONS);
                FrontendStatePipe pipe = new FrontendStatePipe();
                EntropyDriver other = EntropyDriver.start(daemon.socket(1))) {
            pipe.fill();
            offer(guest, DEVICE_STATE_SAVE, pipe);

            assertEquals(64, other.request(64, PATIENCE).length);
        }
    }

    @Test
    void checkIsAnsweredOnceTheStateHasBeenLoaded() throws Exception {
        try (EntropyDriver guest = suspended();
                FrontendStatePipe pipe = new FrontendStatePipe()) {
            byte[] state = save(guest);
            offer(guest, DEVICE_STATE_LOAD, pipe);
            pipe.write(Arrays.copyOf(state, 10));
            guest.session().send(FrontendMessageType.CHECK_DEVICE_STATE.id(), FrontendPayloadEncoder.none());
            boolean early = guest.session().socket().awaitReadable(A_WHILE);

            pipe.write(Arrays.copyOfRange(state, 10, state.length));
            pipe.closeWriteEnd();

            assertFalse(early);
            assertEquals(
                    0,
                    guest.session()
                            .socket()
                            .receive(FrontendMessageType.CHECK_DEVICE_STATE.id(), PATIENCE)
                            .u64());
        }
    }

    @Test
    void requestBeforeTheCheckIsAnsweredEndsTheSession() throws Exception {
        try (EntropyDriver guest = suspended();
                FrontendStatePipe pipe = new FrontendStatePipe()) {
            offer(guest, DEVICE_STATE_LOAD, pipe);
            guest.session().send(FrontendMessageType.CHECK_DEVICE_STATE.id(), FrontendPayloadEncoder.none());

            assertThrows(BackendProtocolException.class, () -> guest.session().getFeatures());
        }

        try (EntropyDriver next = EntropyDriver.start(daemons.latest().socket())) {
            assertEquals(64, next.request(64, PATIENCE).length);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 15, 59, 60, 4096, 4097, 60000})
    void bytesThatAreNoStateAreRefused(int length) throws Exception {
        try (EntropyDriver guest = suspended()) {
            long outcome = load(guest, new byte[length]);

            assertNotEquals(0, outcome);
            assertServes(guest);
        }
    }

    @Test
    void stateWithAnyByteChangedOrMissingIsRefused() throws Exception {
        try (EntropyDriver guest = suspended()) {
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
    void otherDirectionsAndPhasesAreRefused(int direction, int phase) throws Exception {
        try (EntropyDriver guest = suspended();
                FrontendStatePipe pipe = new FrontendStatePipe()) {
            assertRefused(guest.session().setDeviceStateFd(direction, phase, pipe.writeEnd()));
            assertNotEquals(0, guest.session().checkDeviceState());
            assertServes(guest);
        }
    }

    @Test
    void transferIsRefusedWhileARingRuns() throws Exception {
        try (EntropyDriver guest = suspended();
                FrontendStatePipe pipe = new FrontendStatePipe()) {
            start(guest);
            guest.request(64, PATIENCE);

            assertRefused(offer(guest, DEVICE_STATE_SAVE, pipe));
            assertEquals(64, guest.request(64, PATIENCE).length);
        }
    }

    @Test
    void stateIsNotLoadedIntoADeviceThatRunsMeanwhile() throws Exception {
        try (EntropyDriver guest = suspended();
                FrontendStatePipe pipe = new FrontendStatePipe()) {
            byte[] state = save(guest);
            offer(guest, DEVICE_STATE_LOAD, pipe);
            start(guest);
            pipe.write(state);
            pipe.closeWriteEnd();

            assertNotEquals(0, guest.session().checkDeviceState());
        }
    }

    @Test
    void descriptorThatIsNoPipeIsRefused() throws Exception {
        try (EntropyDriver guest = suspended();
                FrontendEventFd eventFd = new FrontendEventFd()) {
            assertRefused(guest.session().setDeviceStateFd(DEVICE_STATE_SAVE, DEVICE_STATE_STOPPED, eventFd.fd()));
            assertRefused(guest.session()
                    .setDeviceStateFd(
                            DEVICE_STATE_LOAD,
                            DEVICE_STATE_STOPPED,
                            guest.bufferRegion().fd()));
        }
    }

    @Test
    void wrongEndOfThePipeFailsTheTransfer() throws Exception {
        try (EntropyDriver guest = suspended();
                FrontendStatePipe pipe = new FrontendStatePipe()) {
            guest.session().setDeviceStateFd(DEVICE_STATE_SAVE, DEVICE_STATE_STOPPED, pipe.readEnd());
            assertNotEquals(0, guest.session().checkDeviceState());
            guest.session().setDeviceStateFd(DEVICE_STATE_LOAD, DEVICE_STATE_STOPPED, pipe.writeEnd());
            assertNotEquals(0, guest.session().checkDeviceState());
            assertServes(guest);
        }
    }

    @Test
    void pipeThatNobodyReadsFromFailsTheTransfer() throws Exception {
        try (EntropyDriver guest = suspended();
                FrontendStatePipe pipe = new FrontendStatePipe()) {
            pipe.closeReadEnd();
            offer(guest, DEVICE_STATE_SAVE, pipe);

            assertNotEquals(0, guest.session().checkDeviceState());
        }
    }

    @Test
    void checkWithoutATransferFails() throws Exception {
        try (EntropyDriver guest = suspended()) {
            assertNotEquals(0, guest.session().checkDeviceState());
        }
    }

    @Test
    void transfersLeaveNoDescriptorsBehind() throws Exception {
        try (EntropyDriver guest = suspended();
                FrontendStatePipe full = new FrontendStatePipe()) {
            full.fill();
            offer(guest, DEVICE_STATE_SAVE, full);
            save(guest);
            List<String> before = withoutInodes(daemons.latest().fds());

            for (int i = 0; i < 50; i++) {
                offer(guest, DEVICE_STATE_SAVE, full);
                save(guest);
            }

            assertEquals(before, withoutInodes(daemons.latest().fds()));
        }
    }

    private static List<String> withoutInodes(List<String> fds) {
        return fds.stream().map(fd -> fd.replaceAll("\\[\\d+]", "")).toList();
    }

    @Test
    void nothingOfItIsServedUnlessItWasNegotiated() throws Exception {
        Options without = OPTIONS.withProtocolFeatures(ProtocolFeatureBit.REPLY_ACK.mask());
        try (EntropyDriver guest = EntropyDriver.initialise(daemons.start().socket(), without);
                FrontendStatePipe pipe = new FrontendStatePipe()) {
            byte[] toSave = FrontendPayloadEncoder.vringState(DEVICE_STATE_SAVE, DEVICE_STATE_STOPPED);

            assertNotEquals(
                    0,
                    guest.session()
                            .sendWithNeedReply(FrontendMessageType.SET_DEVICE_STATE_FD.id(), toSave, pipe.writeEnd()));
            assertNotEquals(
                    0,
                    guest.session()
                            .sendWithNeedReply(
                                    FrontendMessageType.CHECK_DEVICE_STATE.id(), FrontendPayloadEncoder.none()));
            assertTrue(daemons.latest().isAlive());
        }
    }
}
