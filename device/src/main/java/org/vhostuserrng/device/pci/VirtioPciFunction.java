package org.vhostuserrng.device.pci;

import java.lang.foreign.MemorySegment;
import org.vhostuserrng.transport.pci.PciFunction;
import org.vhostuserrng.transport.pci.PciFunctionHost;
import org.vhostuserrng.transport.virtio.VirtioConstants;

/**
 * A virtio device as a PCI Express function (VIRTIO 1.3 §4.1), without a legacy interface and without device-specific
 * configuration.
 *
 * <p>Region accesses of any width and alignment are valid: a read assembles the bytes of the registers, a write changes
 * the bytes that it covers, and each register that an access touches has its side effects once.
 *
 * <p>The function accesses guest memory and sends MSI-X messages only as a bus master, that is with Bus Master Enable
 * set and in power state D0. Otherwise enabled virtqueues wait, and messages are pending. In D3hot the BARs do not
 * respond. Memory Space Enable has no effect on BAR accesses: the VMM decodes addresses, and passes only what a BAR
 * claims.
 */
public final class VirtioPciFunction implements PciFunction {
    /** Maximum number of virtqueues, each with an MSI-X vector of its own. */
    public static final int MAX_QUEUES = VirtioPciLayout.MAX_MSIX_VECTORS - 1;

    /** Feature bits of the transport (VIRTIO 1.3 §6). */
    private static final long TRANSPORT_FEATURES = VirtioConstants.VIRTIO_F_VERSION_1
            | VirtioConstants.VIRTIO_F_NOTIFICATION_DATA
            | VirtioConstants.VIRTIO_F_RING_RESET;

    private final PciFunctionHost host;
    private final int msixVectorCount;
    private final VirtioPciConfigSpace config;
    private final MsixInterrupts msix;
    private final VirtioPciInterrupts interrupts;
    private final VirtioPciVirtqueues virtqueues;
    private final VirtioPciCommonConfig commonConfig;
    private final VirtioPciStructures structures;
    private final PciCfgWindow pciCfgWindow;
    private boolean busMaster;
    private final PciRegisters configRegisters = new PciRegisters() {
        @Override
        public int read(int offset, int byteEnables) {
            return readConfig(offset, byteEnables);
        }

        @Override
        public void write(int offset, int value, int byteEnables) {
            writeConfig(offset, value, byteEnables);
        }
    };

    /**
     * Creates the function in its initial state.
     *
     * @param virtioDeviceId Virtio Device ID (VIRTIO 1.3 §5), 0 to 63
     * @param deviceFeatures the feature bits of the device, without those of the transport
     * @param queueCount number of virtqueues, 1 to {@link #MAX_QUEUES}
     * @param maxQueueSize maximum Queue Size, a power of 2 up to 32768
     * @param host starts virtqueues and sends interrupts
     */
    public VirtioPciFunction(
            int virtioDeviceId, long deviceFeatures, int queueCount, int maxQueueSize, PciFunctionHost host) {
        if (queueCount < 1 || queueCount > MAX_QUEUES) {
            throw new IllegalArgumentException(queueCount + " virtqueues, expected 1 to " + MAX_QUEUES);
        }
        if (Integer.bitCount(maxQueueSize) != 1 || maxQueueSize > VirtioConstants.MAX_QUEUE_SIZE) {
            throw new IllegalArgumentException("maximum queue size " + maxQueueSize + ", expected a power of 2 up to "
                    + VirtioConstants.MAX_QUEUE_SIZE);
        }
        this.host = host;
        // One for configuration changes, and one per virtqueue.
        msixVectorCount = 1 + queueCount;
        config = new VirtioPciConfigSpace(VirtioPciConstants.DEVICE_ID_BASE + virtioDeviceId, msixVectorCount);
        msix = new MsixInterrupts(host, msixVectorCount);
        interrupts = new VirtioPciInterrupts(host, msix);
        virtqueues = new VirtioPciVirtqueues(host, queueCount, maxQueueSize);
        commonConfig =
                new VirtioPciCommonConfig(deviceFeatures | TRANSPORT_FEATURES, virtqueues, interrupts, msixVectorCount);
        structures = new VirtioPciStructures(commonConfig, interrupts, virtqueues);
        pciCfgWindow = new PciCfgWindow(config, structures);
        applyConfig();
    }

    // --- regions ---------------------------------------------------------------------------------------------------

    @Override
    public long regionSize(int region) {
        return switch (region) {
            case VirtioPciLayout.MSIX_BAR -> VirtioPciLayout.MSIX_BAR_BYTES;
            case VirtioPciLayout.STRUCTURES_BAR -> VirtioPciLayout.STRUCTURES_BAR_BYTES;
            case REGION_CONFIG -> PciConstants.PCI_CFG_SPACE_EXP_SIZE;
            default -> 0;
        };
    }

    @Override
    public void read(int region, long offset, MemorySegment target) {
        if (responds(region, offset, target.byteSize())) {
            ByteEnables.read(registers(region), (int) offset, target);
        } else {
            // PCI §6.1, PCIe §2.3.1: all ones if nothing responds.
            target.fill((byte) -1);
        }
    }

    @Override
    public void write(int region, long offset, MemorySegment data) {
        if (responds(region, offset, data.byteSize())) {
            ByteEnables.write(registers(region), (int) offset, data);
        }
    }

    private boolean responds(int region, long offset, long length) {
        long size = regionSize(region);
        boolean inRegion = offset >= 0 && offset <= size && length <= size - offset;
        // PM §5.4.1: in D3hot the function responds to configuration accesses only.
        return inRegion && (region == REGION_CONFIG || config.isD0());
    }

    private PciRegisters registers(int region) {
        return switch (region) {
            case VirtioPciLayout.MSIX_BAR -> msix;
            case VirtioPciLayout.STRUCTURES_BAR -> structures;
            default -> configRegisters;
        };
    }

    // --- configuration space ---------------------------------------------------------------------------------------

    private int readConfig(int offset, int byteEnables) {
        if (VirtioPciConfigSpace.isPciCfgData(offset)) {
            pciCfgWindow.read();
        }
        int value = config.read(offset, byteEnables);
        if (offset == PciConstants.PCI_COMMAND && interrupts.interruptStatus()) {
            value |= PciConstants.PCI_STATUS_INTERRUPT << Short.SIZE;
        }
        return value;
    }

    private void writeConfig(int offset, int value, int byteEnables) {
        config.write(offset, value, byteEnables);
        if (VirtioPciConfigSpace.initiatesFunctionLevelReset(offset, value, byteEnables)) {
            reset();
        } else if (VirtioPciConfigSpace.isPciCfgData(offset)) {
            pciCfgWindow.write();
        } else {
            applyConfig();
        }
    }

    private void applyConfig() {
        boolean wasBusMaster = busMaster;
        busMaster = config.isD0() && config.isBusMasterEnabled();
        if (busMaster != wasBusMaster) {
            host.setBusMaster(busMaster);
        }
        msix.configure(config.isMsixEnabled(), config.isMsixFunctionMasked(), busMaster);
        interrupts.configureIntx(config.isD0() && !config.isIntxDisabled());
        if (busMaster && !wasBusMaster) {
            virtqueues.resume();
        } else if (!busMaster && wasBusMaster) {
            virtqueues.pause();
        }
    }

    // --- function --------------------------------------------------------------------------------------------------

    @Override
    public int msixVectorCount() {
        return msixVectorCount;
    }

    @Override
    public boolean hasIntx() {
        return true;
    }

    @Override
    public void reset() {
        // The order matters: a virtqueue that stops may still send a notification.
        commonConfig.reset();
        msix.resetTable();
        config.reset();
        applyConfig();
    }

    @Override
    public void usedBufferNotification(int queue) {
        VirtioPciVirtqueue virtqueue = virtqueues.at(queue);
        // VIRTIO 1.3 §2.1.2: no notification before DRIVER_OK.
        if (virtqueue != null && virtqueue.isStarted()) {
            interrupts.usedBufferNotification(virtqueue.msixVector());
        }
    }

    @Override
    public void virtqueueBroken(int queue) {
        VirtioPciVirtqueue virtqueue = virtqueues.at(queue);
        if (virtqueue != null && virtqueue.isStarted()) {
            commonConfig.setNeedsReset();
        }
    }
}
