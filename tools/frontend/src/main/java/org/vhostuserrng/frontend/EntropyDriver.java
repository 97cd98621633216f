package org.vhostuserrng.frontend;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * A guest with an entropy device: a vhost-user session, two regions of guest memory (one for the requestq, one for
 * buffers) and the driver's side of the requestq. All parts are accessible, so that tests can manipulate them.
 */
public final class EntropyDriver implements RequestqDriver {
    /** Guest-physical address of the region that contains the requestq. */
    public static final long RING_ADDRESS = 0x4000_0000L;

    /** Guest-physical address of the region for buffers. */
    public static final long BUFFER_ADDRESS = 0x1_0000_0000L;

    private static final long RING_USER_ADDRESS = 0x7a10_0000_0000L;
    private static final long BUFFER_USER_ADDRESS = 0x7a20_0000_0000L;
    private static final long RING_MMAP_OFFSET = 0x2000;
    private static final long BUFFER_MMAP_OFFSET = 0x5000;
    private static final long PAGE_SIZE = 4096;

    /** Expires only if the back-end hangs: much longer than any reply takes, even on a slow and busy machine. */
    private static final Duration HANG_TIMEOUT = Duration.ofSeconds(60);

    /**
     * Configuration of the guest.
     *
     * @param queueSize number of descriptors of the requestq
     * @param features virtio feature bits to accept if offered
     * @param protocolFeatures protocol feature bits to accept if offered
     * @param bufferMemory size of the region for buffers in bytes, a multiple of the page size
     * @param sealing sealing of the region for buffers
     * @param replyTimeout time to wait for each reply of the back-end
     */
    public record Options(
            int queueSize,
            long features,
            long protocolFeatures,
            long bufferMemory,
            FrontendMemoryRegion.Sealing sealing,
            Duration replyTimeout) {
        /** A split virtqueue with all features that this driver supports, 64 descriptors and 1 MiB for buffers. */
        public static final Options DEFAULT = new Options(
                64,
                VirtioFeatureBit.VERSION_1.mask()
                        | VirtioFeatureBit.INDIRECT_DESC.mask()
                        | VirtioFeatureBit.EVENT_IDX.mask(),
                ProtocolFeatureBit.MQ.mask() | ProtocolFeatureBit.REPLY_ACK.mask(),
                1 << 20,
                FrontendMemoryRegion.Sealing.SEALED,
                HANG_TIMEOUT);

        public Options withQueueSize(int size) {
            return new Options(size, features, protocolFeatures, bufferMemory, sealing, replyTimeout);
        }

        public Options withFeatures(long wanted) {
            return new Options(queueSize, wanted, protocolFeatures, bufferMemory, sealing, replyTimeout);
        }

        public Options withProtocolFeatures(long wanted) {
            return new Options(queueSize, features, wanted, bufferMemory, sealing, replyTimeout);
        }

        public Options withBufferMemory(long bytes) {
            return new Options(queueSize, features, protocolFeatures, bytes, sealing, replyTimeout);
        }

        public Options withSealing(FrontendMemoryRegion.Sealing wanted) {
            return new Options(queueSize, features, protocolFeatures, bufferMemory, wanted, replyTimeout);
        }

        public Options withReplyTimeout(Duration timeout) {
            return new Options(queueSize, features, protocolFeatures, bufferMemory, sealing, timeout);
        }
    }

    private final FrontendSession session;
    private final FrontendGuestMemory memory;
    private final FrontendRequestq requestq;
    private final long features;
    private final DriverRing ring;

    private EntropyDriver(
            FrontendSession session, FrontendGuestMemory memory, FrontendRequestq requestq, long features) {
        this.session = session;
        this.memory = memory;
        this.requestq = requestq;
        this.features = features;
        this.ring = ring(memory.regions().getFirst(), requestq, features);
    }

    private static DriverRing ring(FrontendMemoryRegion region, FrontendRequestq requestq, long features) {
        MemorySegment bytes = region.segment();
        boolean eventIndex = (features & VirtioFeatureBit.EVENT_IDX.mask()) != 0;
        return switch (requestq.addresses()) {
            case DriverSplitRingAddresses split -> new DriverSplitRing(bytes, RING_ADDRESS, split, eventIndex);
            case DriverPackedRingAddresses packed -> new DriverPackedRing(bytes, RING_ADDRESS, packed, eventIndex);
        };
    }

    /** Connects, negotiates features and starts the requestq. */
    public static EntropyDriver start(Path socket, Options options) throws IOException {
        return start(FrontendSocket.connect(socket), options);
    }

    /** Like {@link #start(Path, Options)}, on a connected socket. Takes ownership of the socket. */
    public static EntropyDriver start(FrontendSocket socket, Options options) throws IOException {
        EntropyDriver driver = initialise(socket, options);
        try {
            driver.session.start(driver.requestq, driver.memory, driver.features, driver.ring.vringBase());
            return driver;
        } catch (IOException failed) {
            driver.close();
            throw failed;
        }
    }

    /** Like {@link #start(Path, Options)} with {@link Options#DEFAULT}. */
    public static EntropyDriver start(Path socket) throws IOException {
        return start(socket, Options.DEFAULT);
    }

    /** Connects and negotiates the protocol features, as QEMU does before the guest's driver starts. */
    public static EntropyDriver initialise(Path socket, Options options) throws IOException {
        return initialise(FrontendSocket.connect(socket), options);
    }

    /** Like {@link #initialise(Path, Options)}, on a connected socket. Takes ownership of the socket. */
    public static EntropyDriver initialise(FrontendSocket socket, Options options) throws IOException {
        FrontendSession session = new FrontendSession(socket, options.replyTimeout);
        FrontendGuestMemory memory = null;
        FrontendRequestq requestq = null;
        try {
            DriverSplitRingAddresses addresses = DriverSplitRingAddresses.contiguous(RING_ADDRESS, options.queueSize);
            memory = allocateMemory(addresses, options);
            requestq = new FrontendRequestq(addresses);
            session.initialise(requestq, options.protocolFeatures);
            long features = session.offeredFeatures() & options.features;
            if ((features & VirtioFeatureBit.RING_PACKED.mask()) != 0) {
                requestq.setAddresses(DriverPackedRingAddresses.contiguous(RING_ADDRESS, options.queueSize));
            }
            return new EntropyDriver(session, memory, requestq, features);
        } catch (IOException failed) {
            closeAll(session, requestq, memory);
            throw failed;
        }
    }

    private static FrontendGuestMemory allocateMemory(DriverSplitRingAddresses addresses, Options options)
            throws IOException {
        // The region is large enough for both formats: a packed virtqueue needs less memory than a split one.
        long ringSize = (addresses.endAddress() - RING_ADDRESS + PAGE_SIZE - 1) & -PAGE_SIZE;
        FrontendMemoryRegion rings = new FrontendMemoryRegion(
                RING_ADDRESS, RING_USER_ADDRESS, ringSize, RING_MMAP_OFFSET, FrontendMemoryRegion.Sealing.SEALED);
        try {
            FrontendMemoryRegion buffers = new FrontendMemoryRegion(
                    BUFFER_ADDRESS, BUFFER_USER_ADDRESS, options.bufferMemory, BUFFER_MMAP_OFFSET, options.sealing);
            return new FrontendGuestMemory(List.of(rings, buffers));
        } catch (IOException failed) {
            rings.close();
            throw failed;
        }
    }

    public FrontendSession session() {
        return session;
    }

    public FrontendGuestMemory memory() {
        return memory;
    }

    public FrontendRequestq requestq() {
        return requestq;
    }

    /**
     * The requestq as a split virtqueue.
     *
     * @throws ClassCastException if VIRTIO_F_RING_PACKED was negotiated
     */
    public DriverSplitRing ring() {
        return (DriverSplitRing) ring;
    }

    @Override
    public DriverRing driverRing() {
        return ring;
    }

    @Override
    public long features() {
        return features;
    }

    @Override
    public long bufferAddress() {
        return BUFFER_ADDRESS;
    }

    @Override
    public FrontendEventFd interrupt() {
        return requestq.call();
    }

    @Override
    public FrontendSocket socket() {
        return session.socket();
    }

    @Override
    public void stop() throws IOException {
        session.stop();
    }

    /** The memory region for buffers. */
    public FrontendMemoryRegion bufferRegion() {
        return memory.regions().getLast();
    }

    /** Returns a copy of {@code length} bytes of guest memory. */
    public byte[] bytes(long guestAddress, long length) {
        return memory.at(guestAddress, length).toArray(ValueLayout.JAVA_BYTE);
    }

    /** Makes a buffer available and kicks if the device requires it. */
    public void makeAvailableAndKick(int id) throws IOException {
        ring.makeAvailable(id);
        kickIfNeeded();
    }

    @Override
    public void kickIfNeeded() throws IOException {
        if (ring.needsKick()) {
            requestq.kick().signal();
        }
    }

    /**
     * Waits on the call eventfd until the device has used a buffer that {@link DriverRing#popUsed} has not returned
     * yet.
     *
     * @return false if the timeout expires first
     */
    public boolean awaitUsed(Duration timeout) throws IOException {
        long deadline = System.nanoTime() + timeout.toNanos();
        boolean pending = ring.enableInterrupts();
        long left = timeout.toNanos();
        while (!pending && left > 0) {
            requestq.call().awaitAndRead(Math.ceilDiv(left, 1_000_000L));
            pending = ring.hasUsed();
            left = deadline - System.nanoTime();
        }
        return pending;
    }

    /**
     * Sends one request with a single device-writable buffer at {@link #BUFFER_ADDRESS}.
     *
     * @param length size of the buffer in bytes
     * @return the bytes that the device wrote
     * @throws BackendProtocolException if the device does not use the buffer within the timeout
     */
    public byte[] request(int length, Duration timeout) throws IOException {
        MemorySegment buffer = memory.at(BUFFER_ADDRESS, length);
        buffer.fill((byte) 0);
        makeAvailableAndKick(ring.addWritableBuffer(BUFFER_ADDRESS, length));
        if (!awaitUsed(timeout) || !ring.popUsed()) {
            throw new BackendProtocolException(
                    BackendProtocolException.Reason.TIMEOUT,
                    "the device used no buffer within " + timeout.toMillis() + " ms");
        }
        return bytes(BUFFER_ADDRESS, Integer.toUnsignedLong(ring.usedLength()));
    }

    @Override
    public void close() throws IOException {
        closeAll(session, requestq, memory);
    }

    private static void closeAll(FrontendSession session, FrontendRequestq requestq, FrontendGuestMemory memory)
            throws IOException {
        try (memory;
                requestq) {
            session.close();
        }
    }
}
