package org.vhostuserrng.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.it.EventualAssertions.A_WHILE;
import static org.vhostuserrng.it.EventualAssertions.PATIENCE;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import org.vhostuserrng.frontend.BackendRequestReceiver;
import org.vhostuserrng.frontend.DriverRingAddresses;
import org.vhostuserrng.frontend.EntropyDriver;
import org.vhostuserrng.frontend.EntropyDriver.Options;
import org.vhostuserrng.frontend.FrontendIotlbMessage;
import org.vhostuserrng.frontend.FrontendMessageType;
import org.vhostuserrng.frontend.FrontendPayloadEncoder;
import org.vhostuserrng.frontend.FrontendSession;
import org.vhostuserrng.frontend.ProtocolFeatureBit;
import org.vhostuserrng.frontend.VirtioFeatureBit;

/**
 * A guest whose entropy device is behind an IOMMU: its driver and the ring's addresses are I/O virtual ones, which are
 * the guest-physical ones plus {@link #DISTANCE}, page by page, as far as the front-end tells.
 */
final class VirtualIommuGuest implements AutoCloseable {
    static final long DISTANCE = 0x5000_0000_0000L;
    static final long PAGE = 4096;
    static final long BUFFER = EntropyDriver.BUFFER_ADDRESS + DISTANCE;
    static final long RING = EntropyDriver.RING_ADDRESS + DISTANCE;
    static final int READ_WRITE = FrontendIotlbMessage.READ | FrontendIotlbMessage.WRITE;

    static final Options OPTIONS = Options.DEFAULT
            .withFeatures(Options.DEFAULT.features() | VirtioFeatureBit.ACCESS_PLATFORM.mask())
            .withProtocolFeatures(Options.DEFAULT.protocolFeatures() | ProtocolFeatureBit.BACKEND_REQ.mask());

    private final EntropyDriver driver;
    private final BackendRequestReceiver requests = new BackendRequestReceiver();

    private VirtualIommuGuest(EntropyDriver driver) throws IOException {
        this.driver = driver;
    }

    /** Everything is configured and the ring is enabled; no translation has been told. */
    static VirtualIommuGuest start(Path socket, Options options) throws IOException {
        VirtualIommuGuest guest = new VirtualIommuGuest(EntropyDriver.initialise(socket, options));
        FrontendSession session = guest.driver.session();
        session.setBackendReqFd(guest.requests);
        session.setFeatures(guest.driver.features() | VirtioFeatureBit.PROTOCOL_FEATURES.mask());
        session.setMemTable(guest.driver.memory());
        guest.startRing(guest.driver.driverRing().vringBase());
        return guest;
    }

    static VirtualIommuGuest start(Path socket) throws IOException {
        return start(socket, OPTIONS);
    }

    /** As {@link #start(Path)}, and all pages have been told. */
    static VirtualIommuGuest mapped(Path socket, Options options) throws IOException {
        VirtualIommuGuest guest = start(socket, options);
        guest.mapRing();
        guest.map(BUFFER, guest.driver.bufferRegion().size(), READ_WRITE);
        return guest;
    }

    void startRing(int base) throws IOException {
        DriverRingAddresses layout = driver.requestq().addresses();
        FrontendSession session = driver.session();
        session.setVringNum(0, layout.queueSize());
        session.setVringBase(0, base);
        byte[] addresses = FrontendPayloadEncoder.vringAddress(
                0, layout.descriptorArea() + DISTANCE, layout.deviceArea() + DISTANCE, layout.driverArea() + DISTANCE);
        session.send(FrontendMessageType.SET_VRING_ADDR.id(), addresses);
        session.setVringKick(0, driver.requestq().kick());
        session.setVringEnable(0, true);
    }

    EntropyDriver driver() {
        return driver;
    }

    FrontendSession session() {
        return driver.session();
    }

    BackendRequestReceiver requests() {
        return requests;
    }

    /** Tells translations. */
    void map(long iova, long size, int permissions) throws IOException {
        long userAddress = driver.memory().userAddress(iova - DISTANCE);
        assertEquals(0, session().sendIotlb(FrontendIotlbMessage.update(iova, size, userAddress, permissions)));
    }

    void mapRing() throws IOException {
        map(RING, driver.memory().regions().getFirst().size(), READ_WRITE);
    }

    void unmap(long iova, long size) throws IOException {
        assertEquals(0, session().sendIotlb(FrontendIotlbMessage.invalidate(iova, size)));
    }

    /** The next request of the back-end, which must come. */
    FrontendIotlbMessage nextRequest() throws IOException {
        Optional<FrontendIotlbMessage> request = requests.await(PATIENCE);
        assertTrue(request.isPresent(), "the back-end asked nothing");
        return request.get();
    }

    /** Takes the back-end's requests until one is a miss on this page: those before may have been asked long ago. */
    FrontendIotlbMessage awaitMissOn(long page) throws IOException {
        FrontendIotlbMessage request = nextRequest();
        while (request.type() != FrontendIotlbMessage.MISS || (request.iova() & -PAGE) != page) {
            request = nextRequest();
        }
        return request;
    }

    /** Answers misses, each with its page, until a buffer is used. */
    void answerUntilUsed() throws IOException {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (!driver.awaitUsed(Duration.ofMillis(5))) {
            assertTrue(System.nanoTime() < deadline, "nothing was used");
            Optional<FrontendIotlbMessage> request = requests.await(Duration.ofMillis(5));
            if (request.isPresent()) {
                assertEquals(FrontendIotlbMessage.MISS, request.get().type());
                map(request.get().iova() & -PAGE, PAGE, READ_WRITE);
            }
        }
    }

    void offer(long iova, int length) throws IOException {
        driver.makeAvailableAndKick(driver.driverRing().addWritableBuffer(iova, length));
        driver.requestq().kick().signal();
    }

    /** Whether a request of one buffer is served without a question. */
    boolean isServed(long iova, int length) throws IOException {
        offer(iova, length);
        return takeUsed(PATIENCE, length);
    }

    boolean takesUsed(int length) throws IOException {
        return takeUsed(PATIENCE, length);
    }

    /** Whether nothing is used for a while. */
    boolean waits() throws IOException {
        return !driver.awaitUsed(A_WHILE);
    }

    private boolean takeUsed(Duration timeout, int length) throws IOException {
        return driver.awaitUsed(timeout)
                && driver.driverRing().popUsed()
                && driver.driverRing().usedLength() == length;
    }

    @Override
    public void close() throws IOException {
        try (requests) {
            driver.close();
        }
    }
}
