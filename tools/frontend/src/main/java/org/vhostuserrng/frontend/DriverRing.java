package org.vhostuserrng.frontend;

import java.lang.foreign.MemorySegment;

/**
 * The driver's side of a virtqueue, independent of its format. A buffer is identified by its buffer id; in a split
 * virtqueue, the buffer id is the index of the chain's head descriptor.
 *
 * <p>{@link #addWritableBuffer}, {@link #makeAvailable(int)}, {@link #needsKick} and {@link #popUsed} do not allocate.
 */
public sealed interface DriverRing permits DriverSplitRing, DriverPackedRing {
    int queueSize();

    /** Number of free descriptors. */
    int freeDescriptors();

    /** The SET_VRING_BASE value with which a device starts at the next buffer. */
    int vringBase();

    /**
     * Writes the descriptors of a buffer without making it available.
     *
     * @return the buffer id
     * @throws IllegalStateException if there are not enough free descriptors
     */
    int addBuffer(DriverBufferElement... chain);

    /** Like {@link #addBuffer} for a single device-writable element, without allocating. */
    int addWritableBuffer(long guestAddress, int length);

    /**
     * Writes the descriptors to an indirect table, and one descriptor that refers to the table.
     *
     * @param table memory of the table, 16 bytes per element
     * @param tableAddress guest-physical address of the table
     * @return the buffer id
     */
    int addIndirectBuffer(MemorySegment table, long tableAddress, DriverBufferElement... chain);

    /**
     * Makes one buffer available to the device.
     *
     * @throws IllegalStateException in a packed virtqueue, if the buffer is not the next one in the order of addition
     */
    void makeAvailable(int id);

    /** Makes several buffers available to the device in one step. */
    void makeAvailable(int[] ids);

    /** Whether the device requires a kick for the buffers made available since the last call. */
    boolean needsKick();

    /** Whether the device has used a buffer that was not popped yet. */
    boolean hasUsed();

    /**
     * Pops the next used buffer, if there is one, and frees its descriptors. {@link #usedId} and {@link #usedLength}
     * then return the fields of the used entry.
     *
     * @return false if there is no used buffer
     * @throws DeviceViolationException if the used entry does not refer to an in-flight buffer
     */
    boolean popUsed();

    /** Id of the buffer that {@link #popUsed} popped last. */
    int usedId();

    /** Number of bytes that the device reports as written to that buffer, unsigned 32 bits. */
    int usedLength();

    /**
     * Requests an interrupt for the next used buffer.
     *
     * @return true if a used buffer is already pending, for which the device may send no interrupt
     */
    boolean enableInterrupts();

    /** Suppresses interrupts. */
    void disableInterrupts();
}
