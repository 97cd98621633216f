package org.vhostuserrng.transport.pci;

import java.lang.foreign.MemorySegment;

/**
 * A PCI function, as the VMM accesses it: regions of registers and a reset. Its state depends on the accesses and on
 * the calls of {@link PciFunctionHost}'s owner only. Confined to the loop's thread.
 *
 * <p>Multi-byte registers are little-endian. The guest is hostile: no access throws.
 */
public interface PciFunction {
    /** Index of the first base address register; the six BARs are regions 0 to 5. */
    int REGION_BAR0 = 0;
    /** Number of base address registers. */
    int BAR_COUNT = 6;
    /** Index of the expansion ROM. */
    int REGION_ROM = 6;
    /** Index of the configuration space. */
    int REGION_CONFIG = 7;

    /** The size of a region in bytes; 0 if the function does not have it. */
    long regionSize(int region);

    /**
     * Reads registers. A read may have side effects.
     *
     * @param offset the first byte; the whole range is in the region
     * @param target receives the bytes; its size is the number of bytes
     */
    void read(int region, long offset, MemorySegment target);

    /**
     * Writes registers.
     *
     * @param offset the first byte; the whole range is in the region
     * @param data the bytes
     */
    void write(int region, long offset, MemorySegment data);

    /** The number of MSI-X vectors; 0 if the function has no MSI-X capability. */
    int msixVectorCount();

    /** Whether the function has an INTx interrupt pin. */
    boolean hasIntx();

    /** Resets the function: all virtqueues stop, all registers have their initial values. */
    void reset();

    /** The device has made buffers used in a virtqueue and its driver asked for a notification. Data path. */
    void usedBufferNotification(int queue);

    /** A virtqueue cannot continue, because its driver violated VIRTIO or its memory is gone. */
    void virtqueueBroken(int queue);
}
