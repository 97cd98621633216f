package org.vhostuserrng.it.session;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.vhostuserrng.frontend.FrontendMessageType.SET_BACKEND_REQ_FD;
import static org.vhostuserrng.frontend.FrontendMessageType.SET_INFLIGHT_FD;
import static org.vhostuserrng.frontend.FrontendMessageType.SET_LOG_BASE;
import static org.vhostuserrng.frontend.FrontendMessageType.SET_MEM_TABLE;
import static org.vhostuserrng.frontend.FrontendMessageType.SET_VRING_CALL;
import static org.vhostuserrng.it.fixture.EventualAssertions.HANG_TIMEOUT;
import static org.vhostuserrng.it.fixture.EventualAssertions.QUIET_PERIOD;
import static org.vhostuserrng.it.fixture.EventualAssertions.assertEventually;
import static org.vhostuserrng.it.fixture.ResponsivenessAssertions.assertRepliesDuring;
import static org.vhostuserrng.it.fixture.ResponsivenessAssertions.assertServedDuring;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.vhostuserrng.frontend.EntropyDriver;
import org.vhostuserrng.frontend.FrontendDeviceStatePipe;
import org.vhostuserrng.frontend.FrontendEpoll;
import org.vhostuserrng.frontend.FrontendEventFd;
import org.vhostuserrng.frontend.FrontendInflightBuffer;
import org.vhostuserrng.frontend.FrontendMemoryRegion;
import org.vhostuserrng.frontend.FrontendMemoryRegion.Sealing;
import org.vhostuserrng.frontend.FrontendMessageType;
import org.vhostuserrng.frontend.FrontendPayloadEncoder;
import org.vhostuserrng.frontend.FrontendRequestq;
import org.vhostuserrng.frontend.FrontendSession;
import org.vhostuserrng.frontend.HeldKernelLock;
import org.vhostuserrng.frontend.ProtocolFeatureBit;
import org.vhostuserrng.frontend.UnansweredFuseFile;
import org.vhostuserrng.it.fixture.daemon.DaemonExtension;
import org.vhostuserrng.it.fixture.daemon.DaemonProcess;
import org.vhostuserrng.it.fixture.daemon.SharedDaemonExtension;

/**
 * Tests a front-end that holds a kernel lock of a file that it sends to the daemon: in a system call, it waits as long
 * as it likes for a page of its own FUSE file system. Only this front-end's session may wait for the lock.
 */
@Timeout(300)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class HeldKernelLockIT {
    private static final int REQUESTS = 200;
    private static final long SIZE = 1 << 20;
    private static final int LOAD = 1;

    @RegisterExtension
    private final SharedDaemonExtension shared = new SharedDaemonExtension();

    @RegisterExtension
    private final DaemonExtension daemons = new DaemonExtension();

    /** A message with a memfd, whose inode lock the front-end holds. */
    enum MemfdRequest {
        MEMORY_TABLE(SET_MEM_TABLE) {
            @Override
            byte[] payload(FrontendMemoryRegion memory) {
                return FrontendPayloadEncoder.memoryRegions(List.of(memory));
            }
        },
        DIRTY_LOG(SET_LOG_BASE) {
            @Override
            byte[] payload(FrontendMemoryRegion memory) {
                return ByteBuffer.allocate(16)
                        .order(ByteOrder.nativeOrder())
                        .putLong(4096)
                        .putLong(0)
                        .array();
            }
        },
        INFLIGHT_BUFFER(SET_INFLIGHT_FD) {
            @Override
            byte[] payload(FrontendMemoryRegion memory) {
                return FrontendInflightBuffer.encodeDescription(4096, 0, 1, 8);
            }
        };

        private final FrontendMessageType type;

        MemfdRequest(FrontendMessageType type) {
            this.type = type;
        }

        abstract byte[] payload(FrontendMemoryRegion memory);
    }

    @BeforeAll
    static void requireFuse() {
        try {
            new UnansweredFuseFile().close();
        } catch (IOException refused) {
            assumeTrue(false, "a FUSE file system cannot be mounted: " + refused.getMessage());
        }
    }

    private FrontendSession connect() throws IOException {
        FrontendSession session = FrontendSession.connect(shared.socket(), HANG_TIMEOUT);
        session.setFeatures(session.getFeatures());
        session.setProtocolFeatures(ProtocolFeatureBit.REPLY_ACK.mask()
                | ProtocolFeatureBit.LOG_SHMFD.mask()
                | ProtocolFeatureBit.INFLIGHT_SHMFD.mask()
                | ProtocolFeatureBit.BACKEND_REQ.mask()
                | ProtocolFeatureBit.DEVICE_STATE.mask());
        return session;
    }

    private static FrontendMemoryRegion memory() throws IOException {
        return new FrontendMemoryRegion(0x1000_0000L, 0x7000_0000_0000L, SIZE, 0, Sealing.SEALABLE);
    }

    /** Asserts that the requests and messages of another guest are served while the lock is held. */
    private void assertOthersAreServedDuring(HeldKernelLock lock) throws Exception {
        for (int i = 0; i < REQUESTS; i++) {
            assertServedDuring("a held lock", lock::isHeld, shared.neighbour());
            assertRepliesDuring("a held lock", lock::isHeld, shared.neighbour().session());
        }
    }

    @ParameterizedTest
    @EnumSource
    void lockedInodeDelaysOnlyItsFrontEnd(MemfdRequest request) throws Exception {
        try (FrontendSession session = connect();
                FrontendMemoryRegion memory = memory();
                HeldKernelLock lock = HeldKernelLock.ofWrite(memory.fd())) {
            session.send(request.type.id(), request.payload(memory), memory.fd());
            session.send(FrontendMessageType.GET_QUEUE_NUM.id(), FrontendPayloadEncoder.none());

            assertEventually("a call waits for the lock", shared.daemon()::hasBlockedPeerFileThread);
            assertOthersAreServedDuring(lock);
            assertFalse(session.socket().awaitReadable(QUIET_PERIOD), "a later message has overtaken the request");

            lock.release();
            assertTrue(session.socket().awaitReadable(HANG_TIMEOUT), "the session does not continue");
        }
        shared.assertServingAndNothingLeaked();
    }

    @Test
    void frontEndThatDisconnectsWhileItHoldsALockLeaksNothing() throws Exception {
        try (FrontendMemoryRegion memory = memory();
                HeldKernelLock lock = HeldKernelLock.ofWrite(memory.fd())) {
            try (FrontendSession session = connect()) {
                session.send(SET_MEM_TABLE.id(), FrontendPayloadEncoder.memoryRegions(List.of(memory)), memory.fd());
                assertEventually("a call waits for the lock", shared.daemon()::hasBlockedPeerFileThread);
            }

            assertOthersAreServedDuring(lock);
        }
        shared.assertServingAndNothingLeaked();
    }

    @Test
    void terminatedDaemonFreesItsSocketWhileALockIsHeld() throws Exception {
        DaemonProcess daemon = daemons.start();
        try (FrontendSession session = FrontendSession.connect(daemon.socket(), HANG_TIMEOUT);
                FrontendMemoryRegion memory = memory();
                HeldKernelLock lock = HeldKernelLock.ofWrite(memory.fd())) {
            session.send(SET_MEM_TABLE.id(), FrontendPayloadEncoder.memoryRegions(List.of(memory)), memory.fd());
            assertEventually("a call waits for the lock", daemon::hasBlockedPeerFileThread);

            daemon.terminate();

            assertEventually("the socket is free", () -> !DaemonExtension.isListening(daemon.socket()));
            try (EntropyDriver guest = EntropyDriver.start(daemons.start().socket())) {
                assertServedDuring("a held lock", lock::isHeld, guest);
            }
            lock.release();
            assertEquals(0, daemon.awaitExit());
        }
    }

    @Test
    void lockedPipeOfAStateTransferDelaysOnlyItsFrontEnd() throws Exception {
        try (FrontendSession session = connect();
                FrontendDeviceStatePipe pipe = new FrontendDeviceStatePipe();
                HeldKernelLock lock = HeldKernelLock.ofWrite(pipe.writeEnd())) {
            session.setDeviceStateFd(LOAD, 0, pipe.readEnd());
            session.send(FrontendMessageType.CHECK_DEVICE_STATE.id(), FrontendPayloadEncoder.none());

            assertEventually("a call waits for the lock", shared.daemon()::hasBlockedPeerFileThread);
            assertOthersAreServedDuring(lock);
        }
        shared.assertServingAndNothingLeaked();
    }

    @Test
    void lockedPipeForInterruptsDelaysNobody() throws Exception {
        try (EntropyDriver guest = EntropyDriver.start(shared.socket());
                FrontendDeviceStatePipe call = new FrontendDeviceStatePipe();
                HeldKernelLock lock = HeldKernelLock.ofWrite(call.writeEnd())) {
            byte[] index = FrontendPayloadEncoder.u64(FrontendRequestq.INDEX);
            assertEquals(0, guest.session().sendWithNeedReply(SET_VRING_CALL.id(), index, call.writeEnd()));

            guest.ring().enableInterrupts();
            guest.ring().makeAvailable(guest.ring().addWritableBuffer(EntropyDriver.BUFFER_ADDRESS, 64));
            guest.requestq().kick().signal();

            assertEventually("a call waits for the lock", shared.daemon()::hasBlockedPeerFileThread);
            assertEventually("the buffer is used", () -> guest.ring().popUsed());
            assertOthersAreServedDuring(lock);
        }
        shared.assertServingAndNothingLeaked();
    }

    @Test
    void lockedEpollInstanceDelaysTheCloseOfAnEventFdOnly() throws Exception {
        try (EntropyDriver guest = EntropyDriver.start(shared.socket());
                FrontendEpoll epoll = new FrontendEpoll(1);
                FrontendEventFd next = new FrontendEventFd()) {
            FrontendEventFd call = new FrontendEventFd();
            byte[] index = FrontendPayloadEncoder.u64(FrontendRequestq.INDEX);
            assertEquals(0, guest.session().sendWithNeedReply(SET_VRING_CALL.id(), index, call.fd()));
            epoll.add(call, 0);
            call.signal();
            try (HeldKernelLock lock = HeldKernelLock.ofEpoll(epoll)) {
                call.close();
                assertEquals(0, guest.session().sendWithNeedReply(SET_VRING_CALL.id(), index, next.fd()));

                assertEventually("a close waits for the lock", shared.daemon()::hasBlockedPeerFileThread);
                assertOthersAreServedDuring(lock);
            }
        }
        shared.assertServingAndNothingLeaked();
    }

    @Test
    void lockedPipeForBackEndRequestsDelaysOnlyItsFrontEnd() throws Exception {
        try (FrontendSession session = connect();
                FrontendDeviceStatePipe pipe = new FrontendDeviceStatePipe();
                HeldKernelLock lock = HeldKernelLock.ofWrite(pipe.writeEnd())) {
            assertEquals(
                    0,
                    session.sendWithNeedReply(SET_BACKEND_REQ_FD.id(), FrontendPayloadEncoder.none(), pipe.writeEnd()));

            assertOthersAreServedDuring(lock);
        }
        shared.assertServingAndNothingLeaked();
    }
}
