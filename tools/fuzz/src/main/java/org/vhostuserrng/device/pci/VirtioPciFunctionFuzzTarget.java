package org.vhostuserrng.device.pci;

import static org.vhostuserrng.fuzz.FuzzAssertions.require;
import static org.vhostuserrng.fuzz.FuzzAssertions.requireEqual;

import java.lang.foreign.MemorySegment;
import org.vhostuserrng.fuzz.FuzzInputReader;
import org.vhostuserrng.transport.pci.PciFunction;
import org.vhostuserrng.transport.pci.PciFunctionHost;
import org.vhostuserrng.transport.virtio.VirtioConstants;
import org.vhostuserrng.transport.virtio.VirtqueueConfig;

/**
 * Accesses the registers of a virtio-pci function as a hostile VMM or driver does. The function acts on the host only
 * as its registers permit: as a bus master, and with virtqueues after DRIVER_OK.
 *
 * <p>Input: steps of an opcode byte. Below {@link #WRITE}: reads; the opcode is the region, a byte is the number of
 * bytes, and 16 bits are the offset. From {@link #WRITE}: the same for a write, with the bytes that follow. From
 * {@link #USED_BUFFER}: a used buffer notification of the virtqueue in the next byte. From {@link #BROKEN}: the
 * virtqueue in the next byte is broken. From {@link #RESET}: resets the function.
 */
public final class VirtioPciFunctionFuzzTarget implements PciFunctionHost {
    static final int WRITE = 100;
    static final int USED_BUFFER = 200;
    static final int BROKEN = 230;
    static final int RESET = 250;
    /** The number of region indices, valid or not. */
    static final int REGIONS = 9;

    static final int QUEUES = 2;
    private static final int MAX_QUEUE_SIZE = 256;
    private static final int VIRTIO_DEVICE_ID_ENTROPY = 4;

    private static final int STATUS = 0x14;
    private static final int COMMAND = 4;

    private final VirtioPciFunction function = new VirtioPciFunction(
            VIRTIO_DEVICE_ID_ENTROPY,
            VirtioConstants.VIRTIO_F_INDIRECT_DESC
                    | VirtioConstants.VIRTIO_F_EVENT_IDX
                    | VirtioConstants.VIRTIO_F_RING_PACKED,
            QUEUES,
            MAX_QUEUE_SIZE,
            this);
    private final boolean[] started = new boolean[QUEUES];
    private boolean busMaster;
    private boolean intx;

    private VirtioPciFunctionFuzzTarget() {}

    /** Called by Jazzer. */
    public static void fuzzerTestOneInput(byte[] bytes) {
        VirtioPciFunctionFuzzTarget target = new VirtioPciFunctionFuzzTarget();
        FuzzInputReader input = new FuzzInputReader(bytes);
        while (input.hasMore()) {
            target.step(input);
            target.check();
        }
    }

    private void step(FuzzInputReader input) {
        int opcode = input.u8();
        if (opcode < WRITE) {
            byte[] target = new byte[input.u8()];
            function.read(opcode % REGIONS, input.u16(), MemorySegment.ofArray(target));
        } else if (opcode < USED_BUFFER) {
            int count = input.u8();
            int offset = input.u16();
            function.write((opcode - WRITE) % REGIONS, offset, MemorySegment.ofArray(input.bytes(count)));
        } else if (opcode < BROKEN) {
            function.usedBufferNotification(input.u8());
        } else if (opcode < RESET) {
            function.virtqueueBroken(input.u8());
        } else {
            function.reset();
        }
    }

    private void check() {
        int command = read(PciFunction.REGION_CONFIG, COMMAND);
        require(!busMaster || (command & PciConstants.PCI_COMMAND_MASTER) != 0, "bus master without being enabled");
        require(!intx || (command & PciConstants.PCI_COMMAND_INTX_DISABLE) == 0, "INTx is disabled");
        require(!intx || (command >>> Short.SIZE & PciConstants.PCI_STATUS_INTERRUPT) != 0, "INTx without a status");
        int status = read(VirtioPciLayout.STRUCTURES_BAR, STATUS) & 0xff;
        boolean ready = (status & VirtioConstants.STATUS_DRIVER_OK) != 0;
        // All ones: the function is in D3hot.
        require(ready || !anyStarted(), "virtqueue is started before DRIVER_OK");
        require(!ready || (status & VirtioConstants.STATUS_FEATURES_OK) != 0, "DRIVER_OK without FEATURES_OK");
    }

    private int read(int region, int offset) {
        byte[] bytes = new byte[Integer.BYTES];
        function.read(region, offset, MemorySegment.ofArray(bytes));
        return new FuzzInputReader(bytes).u32();
    }

    private boolean anyStarted() {
        return started[0] || started[1];
    }

    // --- host ------------------------------------------------------------------------------------------------------

    @Override
    public void startVirtqueue(int queue, int size, long features, VirtqueueConfig.Areas areas) {
        require(busMaster, "start without being a bus master");
        require(!started[queue], "started twice");
        require(size >= 1 && size <= MAX_QUEUE_SIZE, "queue size");
        boolean packed = (features & VirtioConstants.VIRTIO_F_RING_PACKED) != 0;
        require(packed || Integer.bitCount(size) == 1, "queue size of a split virtqueue");
        require((features & VirtioConstants.VIRTIO_F_VERSION_1) != 0, "features");
        started[queue] = true;
    }

    @Override
    public void stopVirtqueue(int queue) {
        require(started[queue], "stopped, but not started");
        started[queue] = false;
    }

    @Override
    public void availableBufferNotification(int queue) {
        require(busMaster && started[queue], "available buffer notification");
    }

    @Override
    public void setBusMaster(boolean nowBusMaster) {
        require(busMaster != nowBusMaster, "bus master does not change");
        busMaster = nowBusMaster;
    }

    @Override
    public void triggerMsix(int vector) {
        require(busMaster, "message without being a bus master");
        requireEqual(0, vector / function.msixVectorCount(), "vector beyond the table");
    }

    @Override
    public void setIntx(boolean asserted) {
        require(intx != asserted, "INTx does not change");
        intx = asserted;
    }
}
