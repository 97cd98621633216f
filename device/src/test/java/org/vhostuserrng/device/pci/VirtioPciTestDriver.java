package org.vhostuserrng.device.pci;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.vhostuserrng.transport.pci.PciFunction;

/**
 * A driver of a function with one virtqueue of up to 256 descriptors, or with more. The numbers are those of the
 * specifications, and independent of the constants of the function.
 */
final class VirtioPciTestDriver {
    static final int MSIX_BAR = 1;
    static final int BAR = 4;
    static final int ISR = 0x1000;
    static final int NOTIFY = 0x3000;

    static final long INDIRECT_DESC = 1L << 28;
    static final long EVENT_IDX = 1L << 29;
    static final long VERSION_1 = 1L << 32;
    static final long RING_PACKED = 1L << 34;
    static final long NOTIFICATION_DATA = 1L << 38;
    static final long RING_RESET = 1L << 40;
    /** The feature bits of the device, without those of PCI. */
    static final long DEVICE_FEATURES = INDIRECT_DESC | EVENT_IDX | RING_PACKED;

    final RecordingPciFunctionHost host = new RecordingPciFunctionHost();
    final VirtioPciFunction function;

    VirtioPciTestDriver() {
        this(1);
    }

    VirtioPciTestDriver(int queues) {
        function = new VirtioPciFunction(4, DEVICE_FEATURES, queues, 256, host);
    }

    // --- accesses --------------------------------------------------------------------------------------------------

    long read(int region, long offset, int width) {
        byte[] bytes = new byte[width];
        function.read(region, offset, MemorySegment.ofArray(bytes));
        long value = 0;
        for (int i = width - 1; i >= 0; i--) {
            value = value << 8 | Byte.toUnsignedLong(bytes[i]);
        }
        return value;
    }

    void write(int region, long offset, int width, long value) {
        MemorySegment bytes = MemorySegment.ofArray(new byte[width]);
        for (int i = 0; i < width; i++) {
            bytes.set(ValueLayout.JAVA_BYTE, i, (byte) (value >>> (8 * i)));
        }
        function.write(region, offset, bytes);
    }

    int config(int offset, int width) {
        return (int) read(PciFunction.REGION_CONFIG, offset, width);
    }

    void writeConfig(int offset, int width, long value) {
        write(PciFunction.REGION_CONFIG, offset, width, value);
    }

    int common(int offset, int width) {
        return (int) read(BAR, offset, width);
    }

    void writeCommon(int offset, int width, long value) {
        write(BAR, offset, width, value);
    }

    int status() {
        return common(0x14, 1);
    }

    void writeStatus(int status) {
        writeCommon(0x14, 1, status);
    }

    int readIsr() {
        return common(ISR, 1);
    }

    /** The offset of a capability by its ID, found through the list. */
    int capability(int id) {
        int offset = config(0x34, 1);
        while (offset != 0 && config(offset, 1) != id) {
            offset = config(offset + 1, 1);
        }
        return offset;
    }

    /** The offset of a vendor capability by its cfg_type. */
    int vendorCapability(int type) {
        int offset = config(0x34, 1);
        while (offset != 0 && !(config(offset, 1) == 9 && config(offset + 3, 1) == type)) {
            offset = config(offset + 1, 1);
        }
        return offset;
    }

    // --- steps of a driver -----------------------------------------------------------------------------------------

    void writeDriverFeatures(long features) {
        writeCommon(8, 4, 0);
        writeCommon(12, 4, features & 0xffff_ffffL);
        writeCommon(8, 4, 1);
        writeCommon(12, 4, features >>> 32);
    }

    /** Enables memory accesses of the function and of the VMM. */
    void setBusMaster() {
        writeConfig(4, 2, 6);
    }

    void clearBusMaster() {
        writeConfig(4, 2, 2);
    }

    void negotiate(long features) {
        writeStatus(1);
        writeStatus(3);
        writeDriverFeatures(features);
        writeStatus(0xb);
    }

    void writeQueueAddresses() {
        writeCommon(0x20, 4, 0x1000);
        writeCommon(0x24, 4, 1);
        writeCommon(0x28, 4, 0x2000);
        writeCommon(0x2c, 4, 2);
        writeCommon(0x30, 4, 0x3000);
        writeCommon(0x34, 4, 3);
    }

    void enableQueue(int queue) {
        writeCommon(0x16, 2, queue);
        writeQueueAddresses();
        writeCommon(0x1c, 2, 1);
    }

    /** Does everything up to DRIVER_OK, and forgets the host's calls. */
    void startDevice(long features) {
        setBusMaster();
        negotiate(features);
        enableQueue(0);
        writeStatus(0xf);
        host.takeCalls();
    }

    void startDevice() {
        startDevice(VERSION_1);
    }

    /** Writes the Message Control register: 0x8000 enables MSI-X, 0x4000 masks the function. */
    void writeMsixControl(int control) {
        writeConfig(capability(0x11) + 2, 2, control);
    }

    /** Enables MSI-X, and maps configuration changes to vector 0 and virtqueue 0 to vector 1. */
    void enableMsix() {
        writeMsixControl(0x8000);
        writeCommon(0x10, 2, 0);
        writeCommon(0x16, 2, 0);
        writeCommon(0x1a, 2, 1);
    }
}
