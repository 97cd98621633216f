package org.vhostuserrng.frontend;

import java.lang.foreign.MemorySegment;

/**
 * The driver's half of a virtqueue of either format: what a driver does that does not care which. A buffer is named by
 * its Buffer ID, which in a split virtqueue is the head of its chain.
 *
 * <p>Nothing is allocated by {@link #addWritableBuffer}, {@link #makeAvailable(int)}, {@link #needsKick} and
 * {@link #popUsed}.
 */
public sealed interface DriverRing permits DriverSplitRing, DriverPackedRing {
    int queueSize();

    /** Descriptors that belong to no buffer. */
    int freeDescriptors();

    /** What SET_VRING_BASE has to say for a device that begins with the next buffer. */
    int vringBase();

    /**
     * Writes the descriptors of a buffer; the device does not see it yet.
     *
     * @return its ID
     * @throws IllegalStateException when there are not enough free descriptors
     */
    int addBuffer(DriverBufferElement... chain);

    /** As {@link #addBuffer} for one device-writable element, without an allocation. */
    int addWritableBuffer(long guestAddress, int length);

    /**
     * Writes the descriptors to an indirect table and one descriptor that refers to it.
     *
     * @param table memory of the table, 16 bytes for each element
     * @param tableAddress the table's guest physical address
     */
    int addIndirectBuffer(MemorySegment table, long tableAddress, DriverBufferElement... chain);

    /** Makes one buffer available to the device. In a packed virtqueue, in the order in which they were added. */
    void makeAvailable(int id);

    /** Makes several buffers available to the device at once. */
    void makeAvailable(int[] ids);

    /** Whether the device wants a kick for what was made available since this was last asked. */
    boolean needsKick();

    /** Whether the device has used a buffer that was not taken yet. */
    boolean hasUsed();

    /**
     * Takes the next used buffer, if there is one, and frees its descriptors; {@link #usedId} and {@link #usedLength}
     * tell what the device said.
     *
     * @throws DeviceViolationException when that names no buffer in flight
     */
    boolean popUsed();

    /** The ID of the buffer that {@link #popUsed} took. */
    int usedId();

    /** Bytes the device says it wrote to the buffer that {@link #popUsed} took, unsigned 32 bits. */
    int usedLength();

    /**
     * Asks for an interrupt at the next used buffer.
     *
     * @return whether a buffer was used already, for which none may come
     */
    boolean enableInterrupts();

    /** Asks for no interrupt. */
    void disableInterrupts();
}
