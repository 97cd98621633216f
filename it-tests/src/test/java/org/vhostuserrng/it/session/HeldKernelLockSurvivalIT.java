package org.vhostuserrng.it.session;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.vhostuserrng.frontend.FrontendMessageType.SET_MEM_TABLE;
import static org.vhostuserrng.frontend.FrontendMessageType.SET_VRING_CALL;
import static org.vhostuserrng.it.fixture.EventualAssertions.HANG_TIMEOUT;
import static org.vhostuserrng.it.fixture.EventualAssertions.assertEventually;
import static org.vhostuserrng.it.fixture.ResponsivenessAssertions.assertServedDuring;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.vhostuserrng.frontend.EntropyDriver;
import org.vhostuserrng.frontend.FrontendEpoll;
import org.vhostuserrng.frontend.FrontendEventFd;
import org.vhostuserrng.frontend.FrontendMemoryRegion;
import org.vhostuserrng.frontend.FrontendMemoryRegion.Sealing;
import org.vhostuserrng.frontend.FrontendPayloadEncoder;
import org.vhostuserrng.frontend.FrontendRequestq;
import org.vhostuserrng.frontend.FrontendSession;
import org.vhostuserrng.frontend.HeldKernelLock;
import org.vhostuserrng.frontend.UnansweredFuseFile;
import org.vhostuserrng.it.fixture.PackagedProgram;
import org.vhostuserrng.it.fixture.daemon.DaemonProcess;
import org.vhostuserrng.it.fixture.hold.HeldService;

/**
 * Tests a front-end that holds a kernel lock of a file that it sent to a daemon under {@code hold}: neither the other
 * guests nor a restart of the daemon may wait for the lock.
 */
@Timeout(300)
class HeldKernelLockSurvivalIT {
    private static final int REQUESTS = 200;
    private static final long SIZE = 1 << 20;

    @TempDir
    private Path directory;

    private HeldService service;
    private EntropyDriver neighbour;

    @BeforeAll
    static void requireFuse() {
        try {
            new UnansweredFuseFile().close();
        } catch (IOException refused) {
            assumeTrue(false, "a FUSE file system cannot be mounted: " + refused.getMessage());
        }
    }

    @BeforeEach
    void start() throws IOException {
        List<String> words = new ArrayList<>(List.of("--"));
        words.addAll(PackagedProgram.commandLine(
                "--socket-path=" + directory.resolve("socket"),
                "--socket-count=2",
                "--counters-file=" + directory.resolve("counters")));
        service = HeldService.run(directory, words.toArray(String[]::new));
        assertEventually("the daemon listens", () -> service.log().contains("listening on"));
        neighbour = EntropyDriver.start(socket(0));
    }

    @AfterEach
    void stop() throws IOException {
        neighbour.close();
        service.close();
    }

    private Path socket(int index) {
        return directory.resolve("socket" + index);
    }

    private void assertNeighbourIsServedDuring(HeldKernelLock lock) throws Exception {
        for (int i = 0; i < REQUESTS; i++) {
            assertServedDuring("a held lock", lock::isHeld, neighbour);
        }
    }

    @Test
    void descriptorsOfAnEndedSessionDelayNoOtherGuest() throws Exception {
        try (FrontendEpoll epoll = new FrontendEpoll(1)) {
            FrontendEventFd call = new FrontendEventFd();
            EntropyDriver offender = EntropyDriver.start(socket(1));
            byte[] index = FrontendPayloadEncoder.u64(FrontendRequestq.INDEX);
            assertEquals(0, offender.session().sendWithNeedReply(SET_VRING_CALL.id(), index, call.fd()));
            epoll.add(call, 0);
            call.signal();
            try (HeldKernelLock lock = HeldKernelLock.ofEpoll(epoll)) {
                call.close();
                offender.close();
                assertEventually("the session has ended", () -> service.log().contains("front-end disconnected"));

                assertNeighbourIsServedDuring(lock);
            }
        }
    }

    @Test
    void killedDaemonIsRestartedWhileOneOfItsThreadsIsBlocked() throws Exception {
        try (FrontendSession offender = FrontendSession.connect(socket(1), HANG_TIMEOUT);
                FrontendMemoryRegion memory =
                        new FrontendMemoryRegion(0x1000_0000L, 0x7000_0000_0000L, SIZE, 0, Sealing.SEALABLE);
                HeldKernelLock lock = HeldKernelLock.ofWrite(memory.fd())) {
            ProcessHandle killed = service.mainProcess();
            offender.send(SET_MEM_TABLE.id(), FrontendPayloadEncoder.memoryRegions(List.of(memory)), memory.fd());
            assertEventually("a call waits for the lock", () -> DaemonProcess.hasBlockedPeerFileThread(killed.pid()));

            killed.destroyForcibly();

            assertEventually("the session is continued", () -> service.log().contains("session continued"));
            assertNeighbourIsServedDuring(lock);
        }
    }
}
