package org.vhostuserrng.transport.pci;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import org.vhostuserrng.transport.virtio.VirtioDevice;
import org.vhostuserrng.transport.virtio.VirtqueueConfig;

/** A function with INTx, two MSI-X vectors, a configuration space, and one BAR of plain memory that tests watch. */
public final class FakePciFunction implements PciFunction {
    public static final int BAR4 = 4;
    public static final long BAR4_BYTES = 0x4000;
    public static final long CONFIG_BYTES = 256;
    /** A write at this offset of BAR 4 is an available buffer notification of virtqueue 0. */
    public static final long NOTIFY_OFFSET = 0x3000;
    /** A write at this offset of BAR 4 starts virtqueue 0 at {@link #areas}. */
    public static final long START_OFFSET = 0x14;

    public final PciFunctionHost host;
    /** The writes to registers, as region:offset=bytes. */
    public final List<String> writes = new ArrayList<>();

    public final List<Integer> broken = new ArrayList<>();
    /** The features with which virtqueue 0 starts. */
    public long features = 1L << 32;

    public VirtqueueConfig.Areas areas = new VirtqueueConfig.Areas(0x1000, 0x2000, 0x3000);
    public int resets;
    public int notifications;

    private final MemorySegment bar4 = MemorySegment.ofArray(new byte[(int) BAR4_BYTES]);
    private final MemorySegment config = MemorySegment.ofArray(new byte[(int) CONFIG_BYTES]);

    /** A {@link PciFunctionFactory}. */
    public FakePciFunction(VirtioDevice device, PciFunctionHost host) {
        assert device.queueCount() > 0;
        this.host = host;
    }

    @Override
    public long regionSize(int region) {
        return switch (region) {
            case BAR4 -> BAR4_BYTES;
            case REGION_CONFIG -> CONFIG_BYTES;
            default -> 0;
        };
    }

    private MemorySegment registers(int region) {
        return region == BAR4 ? bar4 : config;
    }

    @Override
    public void read(int region, long offset, MemorySegment target) {
        target.copyFrom(registers(region).asSlice(offset, target.byteSize()));
    }

    @Override
    public void write(int region, long offset, MemorySegment data) {
        registers(region).asSlice(offset, data.byteSize()).copyFrom(data);
        StringBuilder bytes = new StringBuilder();
        for (byte value : data.toArray(ValueLayout.JAVA_BYTE)) {
            bytes.append(String.format("%02x", value));
        }
        writes.add(region + ":" + Long.toHexString(offset) + "=" + bytes);
        if (region == BAR4 && offset == NOTIFY_OFFSET) {
            host.availableBufferNotification(0);
        } else if (region == BAR4 && offset == START_OFFSET) {
            host.setBusMaster(true);
            host.startVirtqueue(0, 8, features, areas);
        }
    }

    @Override
    public int msixVectorCount() {
        return 2;
    }

    @Override
    public boolean hasIntx() {
        return true;
    }

    @Override
    public void reset() {
        resets++;
        host.stopVirtqueue(0);
        host.setIntx(false);
    }

    @Override
    public void usedBufferNotification(int queue) {
        notifications++;
        host.triggerMsix(1);
    }

    @Override
    public void virtqueueBroken(int queue) {
        broken.add(queue);
    }
}
