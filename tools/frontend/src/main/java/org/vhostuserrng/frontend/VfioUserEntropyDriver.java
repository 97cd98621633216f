package org.vhostuserrng.frontend;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.time.Duration;

/**
 * A guest with an entropy device on a vfio-user server: a client, a region of guest memory, and a driver of the modern
 * virtio-pci function (VIRTIO 1.3 §4.1), which finds the registers by the function's capabilities. All parts are
 * accessible, so that tests can manipulate them.
 */
public final class VfioUserEntropyDriver implements RequestqDriver {
    /** Guest-physical address of guest memory. */
    public static final long MEMORY_ADDRESS = 0x4000_0000L;

    /** Guest-physical address of the buffers. */
    public static final long BUFFER_ADDRESS = MEMORY_ADDRESS + 0x10_0000L;

    private static final long MMAP_OFFSET = 0x3000;

    // PCI configuration space
    private static final int COMMAND = 0x04;
    private static final int COMMAND_MEMORY_AND_MASTER = 6;
    private static final int CAPABILITIES = 0x34;
    private static final int VENDOR_CAPABILITY = 9;
    private static final int MSIX_CAPABILITY = 0x11;
    private static final int MSIX_CONTROL = 2;
    private static final int MSIX_ENABLE = 0x8000;
    private static final int EXPRESS_CAPABILITY = 0x10;
    private static final int EXPRESS_DEVICE_CONTROL = 8;
    private static final int EXPRESS_FLR = 0x8000;

    // VIRTIO 1.3 §4.1.4: struct virtio_pci_cap
    private static final int CFG_TYPE = 3;
    private static final int BAR = 4;
    private static final int OFFSET = 8;
    private static final int NOTIFY_OFF_MULTIPLIER = 16;
    private static final int COMMON_CFG = 1;
    private static final int NOTIFY_CFG = 2;
    private static final int ISR_CFG = 3;

    // §4.1.4.3: struct virtio_pci_common_cfg
    private static final int DEVICE_FEATURE_SELECT = 0;
    private static final int DEVICE_FEATURE = 4;
    private static final int DRIVER_FEATURE_SELECT = 8;
    private static final int DRIVER_FEATURE = 12;
    private static final int CONFIG_MSIX_VECTOR = 16;
    private static final int DEVICE_STATUS = 20;
    private static final int QUEUE_SELECT = 22;
    private static final int QUEUE_SIZE = 24;
    private static final int QUEUE_MSIX_VECTOR = 26;
    private static final int QUEUE_ENABLE = 28;
    private static final int QUEUE_NOTIFY_OFF = 30;
    private static final int QUEUE_DESC = 32;
    private static final int QUEUE_DRIVER = 40;
    private static final int QUEUE_DEVICE = 48;

    // §2.1
    private static final int STATUS_ACKNOWLEDGE_DRIVER = 3;
    private static final int STATUS_FEATURES_OK = 8;
    private static final int STATUS_DRIVER_OK = 4;
    private static final int STATUS_NEEDS_RESET = 64;

    /** A structure of the function's registers: a region, and an offset in it. */
    private record Registers(int region, long offset) {}

    private final VfioUserClient client;
    private final EntropyDriver.Options options;
    private final FrontendMemoryRegion memory;
    private final FrontendEventFd[] interrupts;
    private final boolean msix;
    private final boolean shared;
    private Registers common;
    private Registers notification;
    private Registers isr;
    private long notifyMultiplier;
    private long notifyOffset;
    private int msixCapability;
    private int expressCapability;
    private long features;
    private DriverRing ring;
    private VfioUserPostedWrite notificationWrite;

    private VfioUserEntropyDriver(
            VfioUserClient client,
            EntropyDriver.Options options,
            FrontendMemoryRegion memory,
            FrontendEventFd[] interrupts,
            boolean msix,
            boolean shared) {
        this.client = client;
        this.options = options;
        this.memory = memory;
        this.interrupts = interrupts;
        this.msix = msix;
        this.shared = shared;
    }

    /**
     * Connects, maps guest memory, and starts the requestq, with MSI-X. The driver accepts no feature but
     * VIRTIO_F_VERSION_1.
     */
    public static VfioUserEntropyDriver start(Path socket, Duration timeout) throws IOException {
        return start(socket, withoutFeatures(timeout));
    }

    /**
     * Like {@link #start(Path, Duration)}.
     *
     * @param options configuration of the guest; the queue size is a maximum, and the protocol features are those of
     *     vhost-user
     */
    public static VfioUserEntropyDriver start(Path socket, EntropyDriver.Options options) throws IOException {
        return start(socket, options, true, true);
    }

    /** Like {@link #start(Path, Duration)}, with INTx. */
    public static VfioUserEntropyDriver startWithIntx(Path socket, Duration timeout) throws IOException {
        return start(socket, withoutFeatures(timeout), false, true);
    }

    /** Like {@link #start(Path, Duration)}, with guest memory that the server accesses by commands only. */
    public static VfioUserEntropyDriver startWithoutDescriptor(Path socket, Duration timeout) throws IOException {
        return start(socket, withoutFeatures(timeout), true, false);
    }

    private static EntropyDriver.Options withoutFeatures(Duration timeout) {
        return EntropyDriver.Options.DEFAULT
                .withFeatures(VirtioFeatureBit.VERSION_1.mask())
                .withReplyTimeout(timeout);
    }

    private static VfioUserEntropyDriver start(Path socket, EntropyDriver.Options options, boolean msix, boolean shared)
            throws IOException {
        VfioUserClient client = VfioUserClient.connect(socket, options.replyTimeout());
        long size = BUFFER_ADDRESS - MEMORY_ADDRESS + options.bufferMemory();
        FrontendMemoryRegion memory = new FrontendMemoryRegion(MEMORY_ADDRESS, 0, size, MMAP_OFFSET, options.sealing());
        FrontendEventFd[] interrupts = msix
                ? new FrontendEventFd[] {new FrontendEventFd(), new FrontendEventFd()}
                : new FrontendEventFd[] {new FrontendEventFd()};
        VfioUserEntropyDriver driver = new VfioUserEntropyDriver(client, options, memory, interrupts, msix, shared);
        try {
            client.negotiate();
            driver.mapMemory();
            driver.findCapabilities();
            driver.startFunction();
            return driver;
        } catch (IOException | RuntimeException failed) {
            driver.close();
            throw failed;
        }
    }

    /** Maps guest memory. */
    public void mapMemory() throws IOException {
        if (shared) {
            client.map(memory);
        } else {
            client.mapWithoutDescriptor(memory);
        }
    }

    // --- function --------------------------------------------------------------------------------------------------

    private long config(long offset, int size) throws IOException {
        return client.read(VfioUserClient.CONFIG_REGION, offset, size);
    }

    private void findCapabilities() throws IOException {
        int capability = (int) config(CAPABILITIES, 1);
        while (capability != 0) {
            int id = (int) config(capability, 1);
            if (id == VENDOR_CAPABILITY) {
                findStructure(capability);
            } else if (id == MSIX_CAPABILITY) {
                msixCapability = capability;
            } else if (id == EXPRESS_CAPABILITY) {
                expressCapability = capability;
            }
            capability = (int) config(capability + 1L, 1);
        }
    }

    private void findStructure(int capability) throws IOException {
        Registers found =
                new Registers((int) config((long) capability + BAR, 1), config((long) capability + OFFSET, 4));
        switch ((int) config((long) capability + CFG_TYPE, 1)) {
            case COMMON_CFG -> common = found;
            case NOTIFY_CFG -> {
                notification = found;
                notifyMultiplier = config((long) capability + NOTIFY_OFF_MULTIPLIER, 4);
            }
            case ISR_CFG -> isr = found;
            default -> {
                // Device-specific configuration, or access by configuration space.
            }
        }
    }

    private long read(int field, int size) throws IOException {
        return client.read(common.region(), common.offset() + field, size);
    }

    private void write(int field, long value, int size) throws IOException {
        client.post(common.region(), common.offset() + field, value, size);
    }

    private void startFunction() throws IOException {
        client.write(VfioUserClient.CONFIG_REGION, COMMAND, COMMAND_MEMORY_AND_MASTER, 2);
        if (msix) {
            client.write(VfioUserClient.CONFIG_REGION, (long) msixCapability + MSIX_CONTROL, MSIX_ENABLE, 2);
        }
        client.setEventfds(msix ? VfioUserClient.MSIX_IRQ : VfioUserClient.INTX_IRQ, interrupts);
        startDevice();
    }

    /** Writes 0 to the device status, without waiting for the end of the reset. */
    public void resetDevice() throws IOException {
        write(DEVICE_STATUS, 0, 1);
    }

    /** Resets the device by its status, and starts it again: VIRTIO 1.3 §3.1.1. */
    public void startDevice() throws IOException {
        stop();
        write(DEVICE_STATUS, STATUS_ACKNOWLEDGE_DRIVER, 1);
        features = offeredFeatures() & options.features();
        write(DRIVER_FEATURE_SELECT, 0, 4);
        write(DRIVER_FEATURE, features, 4);
        write(DRIVER_FEATURE_SELECT, 1, 4);
        write(DRIVER_FEATURE, features >>> 32, 4);
        write(DEVICE_STATUS, STATUS_ACKNOWLEDGE_DRIVER | STATUS_FEATURES_OK, 1);
        if ((status() & STATUS_FEATURES_OK) == 0) {
            throw new BackendProtocolException(
                    BackendProtocolException.Reason.INVALID_REPLY, "the device refuses the features");
        }
        startRequestq();
        write(DEVICE_STATUS, STATUS_ACKNOWLEDGE_DRIVER | STATUS_FEATURES_OK | STATUS_DRIVER_OK, 1);
    }

    private long offeredFeatures() throws IOException {
        write(DEVICE_FEATURE_SELECT, 0, 4);
        long low = read(DEVICE_FEATURE, 4);
        write(DEVICE_FEATURE_SELECT, 1, 4);
        return low | read(DEVICE_FEATURE, 4) << 32;
    }

    /** Resets the device, which stops the requestq. */
    @Override
    public void stop() throws IOException {
        write(DEVICE_STATUS, 0, 1);
        if (status() != 0) {
            throw new BackendProtocolException(
                    BackendProtocolException.Reason.INVALID_REPLY, "the device is not reset");
        }
    }

    private void startRequestq() throws IOException {
        write(CONFIG_MSIX_VECTOR, 0, 2);
        write(QUEUE_SELECT, 0, 2);
        int size = (int) Math.min(options.queueSize(), read(QUEUE_SIZE, 2));
        DriverRingAddresses addresses = createRing(size);
        write(QUEUE_SIZE, size, 2);
        write(QUEUE_DESC, addresses.descriptorArea(), 4);
        write(QUEUE_DESC + 4, addresses.descriptorArea() >>> 32, 4);
        write(QUEUE_DRIVER, addresses.driverArea(), 4);
        write(QUEUE_DRIVER + 4, addresses.driverArea() >>> 32, 4);
        write(QUEUE_DEVICE, addresses.deviceArea(), 4);
        write(QUEUE_DEVICE + 4, addresses.deviceArea() >>> 32, 4);
        write(QUEUE_MSIX_VECTOR, 1, 2);
        notifyOffset = read(QUEUE_NOTIFY_OFF, 2) * notifyMultiplier;
        notificationWrite = client.postedWrite(notification.region(), notification.offset() + notifyOffset, 0, 2);
        write(QUEUE_ENABLE, 1, 2);
    }

    private DriverRingAddresses createRing(int size) {
        MemorySegment bytes = memory.segment();
        boolean eventIndex = (features & VirtioFeatureBit.EVENT_IDX.mask()) != 0;
        if ((features & VirtioFeatureBit.RING_PACKED.mask()) != 0) {
            DriverPackedRingAddresses packed = DriverPackedRingAddresses.contiguous(MEMORY_ADDRESS, size);
            ring = new DriverPackedRing(bytes, MEMORY_ADDRESS, packed, eventIndex);
            return packed;
        }
        DriverSplitRingAddresses split = DriverSplitRingAddresses.contiguous(MEMORY_ADDRESS, size);
        ring = new DriverSplitRing(bytes, MEMORY_ADDRESS, split, eventIndex);
        return split;
    }

    /** The device status. */
    public int status() throws IOException {
        return (int) read(DEVICE_STATUS, 1);
    }

    /** Whether the device has set DEVICE_NEEDS_RESET. */
    public boolean needsReset() throws IOException {
        return (status() & STATUS_NEEDS_RESET) != 0;
    }

    /** Resets the function with VFIO_USER_DEVICE_RESET, and starts it again. */
    public void resetFunction() throws IOException {
        client.require(VfioUserClient.DEVICE_RESET, new byte[0]);
        startFunction();
    }

    /** Resets the function with a Function Level Reset, and starts it again. */
    public void functionLevelReset() throws IOException {
        client.write(VfioUserClient.CONFIG_REGION, (long) expressCapability + EXPRESS_DEVICE_CONTROL, EXPRESS_FLR, 2);
        startFunction();
    }

    // --- requests --------------------------------------------------------------------------------------------------

    public VfioUserClient client() {
        return client;
    }

    public FrontendMemoryRegion memory() {
        return memory;
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
        return interrupts[interrupts.length - 1];
    }

    @Override
    public FrontendSocket socket() {
        return client.socket();
    }

    /** Notifies the device of available buffers. */
    public void kick() throws IOException {
        notificationWrite.send();
    }

    @Override
    public void kickIfNeeded() throws IOException {
        if (ring.needsKick()) {
            kick();
        }
    }

    /** Makes a buffer of the memory at {@link #BUFFER_ADDRESS} available, and notifies the device. */
    public void makeAvailableAndKick(int length) throws IOException {
        memory.segment().asSlice(BUFFER_ADDRESS - MEMORY_ADDRESS, length).fill((byte) 0);
        ring.makeAvailable(ring.addWritableBuffer(BUFFER_ADDRESS, length));
        kickIfNeeded();
    }

    /**
     * Sleeps on the eventfd of the requestq's interrupt until the device has used a buffer that was not popped yet.
     *
     * @return false if the timeout expires first
     */
    public boolean awaitUsed(Duration timeout) throws IOException {
        long deadline = System.nanoTime() + timeout.toNanos();
        boolean pending = ring.enableInterrupts();
        for (long left = timeout.toNanos(); !pending && left > 0; left = deadline - System.nanoTime()) {
            awaitInterrupt(Math.ceilDiv(left, 1_000_000L));
            if (!msix) {
                acknowledgeIntx();
            }
            pending = ring.hasUsed();
        }
        return pending;
    }

    /** Waits for the requestq's interrupt, and executes the commands of the server meanwhile. */
    private void awaitInterrupt(long millis) throws IOException {
        if (shared) {
            interrupt().awaitAndRead(millis);
            return;
        }
        long deadline = System.nanoTime() + millis * 1_000_000L;
        while (interrupt().awaitAndRead(0) == 0 && System.nanoTime() < deadline) {
            client.executeNext(Duration.ofMillis(1));
        }
    }

    /** Reads the ISR status, which deasserts INTx, and unmasks it. */
    private void acknowledgeIntx() throws IOException {
        client.read(isr.region(), isr.offset(), 1);
        client.unmask(VfioUserClient.INTX_IRQ);
    }

    /**
     * Sends one request and waits until the device has used its buffer.
     *
     * @return the bytes that the device wrote
     * @throws BackendProtocolException if the device does not use the buffer within the timeout
     */
    public byte[] request(int length, Duration timeout) throws IOException {
        makeAvailableAndKick(length);
        if (!awaitUsed(timeout) || !ring.popUsed()) {
            throw new BackendProtocolException(
                    BackendProtocolException.Reason.TIMEOUT,
                    "the device used no buffer within " + timeout.toMillis() + " ms");
        }
        MemorySegment used = memory.segment().asSlice(BUFFER_ADDRESS - MEMORY_ADDRESS, ring.usedLength());
        return used.toArray(ValueLayout.JAVA_BYTE);
    }

    @Override
    public void close() throws IOException {
        try (memory) {
            for (FrontendEventFd interrupt : interrupts) {
                interrupt.close();
            }
            client.close();
        }
    }
}
