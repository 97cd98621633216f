package org.vhostuserrng.it.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.frontend.EntropyDriver.BUFFER_ADDRESS;
import static org.vhostuserrng.it.fixture.EventualAssertions.HANG_TIMEOUT;

import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vhostuserrng.frontend.BackendProtocolException;
import org.vhostuserrng.frontend.BackendReply;
import org.vhostuserrng.frontend.EntropyDriver;
import org.vhostuserrng.frontend.EntropyDriver.Options;
import org.vhostuserrng.frontend.FrontendEventFd;
import org.vhostuserrng.frontend.FrontendMemoryRegion;
import org.vhostuserrng.frontend.FrontendMemoryRegion.Sealing;
import org.vhostuserrng.frontend.FrontendMessageType;
import org.vhostuserrng.frontend.FrontendPayloadEncoder;
import org.vhostuserrng.frontend.VirtioFeatureBit;
import org.vhostuserrng.it.fixture.ReservedHugePages;
import org.vhostuserrng.it.fixture.daemon.DaemonExtension;

/** Tests VHOST_USER_PROTOCOL_F_LOG_SHMFD: the dirty page log, which a VMM needs to migrate the guest. */
class DirtyLogIT {
    private static final int SET_LOG_BASE = 6;
    private static final int SET_LOG_FD = 7;
    private static final long PROTOCOL_F_LOG_SHMFD = 1L << 1;
    private static final long F_LOG_ALL = 1L << 26;
    private static final int VRING_F_LOG = 1;
    private static final long PAGE = 4096;
    /** Size of the log: one bit per page of the first 8 GiB of guest memory. */
    private static final long LOG_BYTES = 256 << 10;

    private static final long USED_RING_LOG_ADDRESS = 0x5000_0000L;

    @RegisterExtension
    private final DaemonExtension daemons = new DaemonExtension();

    private EntropyDriver guest() throws IOException {
        Options options =
                Options.DEFAULT.withProtocolFeatures(Options.DEFAULT.protocolFeatures() | PROTOCOL_F_LOG_SHMFD);
        return EntropyDriver.start(daemons.start().socket(), options);
    }

    private static FrontendMemoryRegion log(Sealing sealing) throws IOException {
        return new FrontendMemoryRegion(0, 0, LOG_BYTES, 0, sealing);
    }

    private static void setLogBase(EntropyDriver guest, FrontendMemoryRegion log) throws IOException {
        setLogBase(guest, log, LOG_BYTES);
    }

    private static void setLogBase(EntropyDriver guest, FrontendMemoryRegion log, long size) throws IOException {
        byte[] sizeAndOffset = bytes(16).putLong(size).putLong(0).array();
        guest.session().send(SET_LOG_BASE, sizeAndOffset, log.fd());
        BackendReply reply = guest.session().socket().receive(SET_LOG_BASE, HANG_TIMEOUT);
        assertEquals(0, reply.u64());
    }

    private static void logBuffers(EntropyDriver guest, boolean on) throws IOException {
        long features = guest.features() | VirtioFeatureBit.PROTOCOL_FEATURES.mask();
        guest.session().setFeatures(features | (on ? F_LOG_ALL : 0));
        awaitHandled(guest);
    }

    /**
     * Waits until the daemon has handled all earlier messages: it has when it replies. The event loop may handle a
     * later kick before earlier messages.
     */
    private static void awaitHandled(EntropyDriver guest) throws IOException {
        guest.session().getFeatures();
    }

    private static void logUsedRing(EntropyDriver guest) throws IOException {
        byte[] address = bytes(40)
                .putInt(0)
                .putInt(VRING_F_LOG)
                .putLong(guest.memory().userAddress(guest.requestq().addresses().descriptorArea()))
                .putLong(guest.memory().userAddress(guest.requestq().addresses().deviceArea()))
                .putLong(guest.memory().userAddress(guest.requestq().addresses().driverArea()))
                .putLong(USED_RING_LOG_ADDRESS)
                .array();
        guest.session().send(FrontendMessageType.SET_VRING_ADDR.id(), address);
        awaitHandled(guest);
    }

    private static ByteBuffer bytes(int size) {
        return ByteBuffer.allocate(size).order(ByteOrder.nativeOrder());
    }

    private static boolean isMarked(FrontendMemoryRegion log, long guestAddress) {
        long page = guestAddress / PAGE;
        return (log.segment().get(ValueLayout.JAVA_BYTE, page / 8) & (1 << (page % 8))) != 0;
    }

    private static boolean isClean(FrontendMemoryRegion log) {
        return log.segment().asByteBuffer().mismatch(ByteBuffer.allocate((int) LOG_BYTES)) == -1;
    }

    @Test
    void pagesOfWrittenBuffersAreMarked() throws Exception {
        try (EntropyDriver guest = guest();
                FrontendMemoryRegion log = log(Sealing.SEALED)) {
            setLogBase(guest, log);
            logBuffers(guest, true);

            guest.makeAvailableAndKick(guest.ring().addWritableBuffer(BUFFER_ADDRESS + PAGE - 32, 64));
            guest.requestq().kick().signal();
            guest.awaitUsed(HANG_TIMEOUT);

            assertTrue(isMarked(log, BUFFER_ADDRESS));
            assertTrue(isMarked(log, BUFFER_ADDRESS + PAGE));
            assertFalse(isMarked(log, BUFFER_ADDRESS + 2 * PAGE));
        }
    }

    @Test
    void usedRingIsMarkedAtItsLogAddress() throws Exception {
        try (EntropyDriver guest = guest();
                FrontendMemoryRegion log = log(Sealing.SEALED)) {
            setLogBase(guest, log);
            logUsedRing(guest);

            guest.request(64, HANG_TIMEOUT);

            assertTrue(isMarked(log, USED_RING_LOG_ADDRESS));
            assertFalse(isMarked(log, BUFFER_ADDRESS));
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 1, 2, 3})
    void logSizeNeedNotBeAMultipleOfAWord(long extraBytes) throws Exception {
        long pages = BUFFER_ADDRESS / PAGE;
        try (EntropyDriver guest = guest();
                FrontendMemoryRegion log = log(Sealing.SEALED)) {
            setLogBase(guest, log, pages / 8 + 1 + extraBytes);
            logBuffers(guest, true);

            guest.request(64, HANG_TIMEOUT);

            assertTrue(isMarked(log, BUFFER_ADDRESS));
        }
    }

    @Test
    void nothingIsMarkedBeyondALogThatEndsWithinAWord() throws Exception {
        try (EntropyDriver guest = guest();
                FrontendMemoryRegion log = log(Sealing.SEALED)) {
            setLogBase(guest, log, BUFFER_ADDRESS / PAGE / 8 + 1);
            logBuffers(guest, true);

            guest.makeAvailableAndKick(guest.ring().addWritableBuffer(BUFFER_ADDRESS + 8 * PAGE, 64));
            guest.requestq().kick().signal();
            guest.awaitUsed(HANG_TIMEOUT);

            assertTrue(isClean(log));
        }
    }

    @Test
    void logOfHugePagesIsRejected() throws Exception {
        try (ReservedHugePages _ = ReservedHugePages.reserve(1);
                EntropyDriver guest = guest();
                FrontendMemoryRegion log = FrontendMemoryRegion.ofHugePages(0, 0, ReservedHugePages.SIZE, 0)) {
            assertThrows(BackendProtocolException.class, () -> setLogBase(guest, log));
        }
    }

    @Test
    void nothingIsMarkedByDefault() throws Exception {
        try (EntropyDriver guest = guest();
                FrontendMemoryRegion log = log(Sealing.SEALED)) {
            setLogBase(guest, log);

            guest.request(64, HANG_TIMEOUT);

            assertTrue(isClean(log));
        }
    }

    @Test
    void loggingCanBeTurnedOffWhileTheRingRuns() throws Exception {
        try (EntropyDriver guest = guest();
                FrontendMemoryRegion log = log(Sealing.SEALED)) {
            setLogBase(guest, log);
            logBuffers(guest, true);
            logBuffers(guest, false);

            guest.request(64, HANG_TIMEOUT);

            assertTrue(isClean(log));
        }
    }

    @Test
    void changesAreSignalledToTheLogEventfd() throws Exception {
        try (EntropyDriver guest = guest();
                FrontendMemoryRegion log = log(Sealing.SEALED);
                FrontendEventFd changed = new FrontendEventFd()) {
            setLogBase(guest, log);
            guest.session().send(SET_LOG_FD, FrontendPayloadEncoder.none(), changed.fd());
            logBuffers(guest, true);

            guest.request(64, HANG_TIMEOUT);

            assertNotEquals(0, changed.awaitAndRead(HANG_TIMEOUT));
        }
    }

    @Test
    void unsealableLogIsRejected() throws Exception {
        try (EntropyDriver guest = guest();
                FrontendMemoryRegion log = log(Sealing.UNSEALABLE)) {
            assertThrows(BackendProtocolException.class, () -> setLogBase(guest, log));
        }
    }

    @Test
    void logAtAnUnalignedOffsetIsRejected() throws Exception {
        byte[] sizeAndOffset = bytes(16).putLong(LOG_BYTES / 2).putLong(2).array();
        try (EntropyDriver guest = guest();
                FrontendMemoryRegion log = log(Sealing.SEALED)) {
            assertThrows(
                    BackendProtocolException.class,
                    () -> guest.session().sendWithNeedReply(SET_LOG_BASE, sizeAndOffset, log.fd()));
        }
    }
}
