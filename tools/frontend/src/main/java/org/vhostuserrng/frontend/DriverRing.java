package org.vhostuserrng.frontend;

import java.lang.foreign.MemorySegment;

/**
 * The driver's side of a virtqueue, independent of its format. A buffer id identifies a buffer; in a split virtqueue it
 * is the index of the head descriptor of the buffer's chain.
 *
 * <p>{@link #addWritableBuffer}, {@link #makeAvailable(int)}, {@link #needsKick} and {@link #popUsed} do not allocate.
 */
public sealed interface DriverRing permits DriverSplitRing, DriverPackedRing {
    int queueSize();

    /** Number of free descriptors. */
    int freeDescriptors();

    /** The value for SET_VRING_BASE that lets a device start at the next buffer. */
    int vringBase();

    /**
     * Writes the descriptors of a buffer without making it available.
     *
     * @return the buffer id
     * @throws IllegalStateException if there are not enough free descriptors
     */
    int addBuffer(DriverBufferElement... chain);

    /** Like {@link #addBuffer}, with a single device-writable element. Does not allocate. */
    int addWritableBuffer(long guestAddress, int length);

    /**
     * Writes the descriptors of a buffer to an indirect table, and one descriptor of the ring that refers to the table.
     *
     * @param table memory of the table, 16 bytes per element
     * @param tableAddress guest-physical address of the table
     * @return the buffer id
     */
    int addIndirectBuffer(MemorySegment table, long tableAddress, DriverBufferElement... chain);

    /**
     * Makes one buffer available to the device.
     *
     * @throws IllegalStateException in a packed virtqueue, if an earlier added buffer has not been made available
     */
    void makeAvailable(int id);

    /** Makes several buffers available to the device in one step. */
    void makeAvailable(int[] ids);

    /** Whether the device requires a kick for the buffers that were made available since the last call. */
    boolean needsKick();

    /** Whether the device has used a buffer that {@link #popUsed} has not returned yet. */
    boolean hasUsed();

    /**
     * Pops the next used buffer, if there is one, and frees its descriptors. {@link #usedId} and {@link #usedLength}
     * then return the fields of the used element or descriptor.
     *
     * @return false if there is no used buffer
     * @throws DeviceViolationException if the device returned the id of a buffer that is not in flight
     */
    boolean popUsed();

    /** The id of the buffer that {@link #popUsed} popped last. */
    int usedId();

    /** Number of bytes that the device reports as written to the buffer {@link #usedId}, unsigned 32 bits. */
    int usedLength();

    /**
     * Requests an interrupt for the next used buffer.
     *
     * @return true if a used buffer is already waiting; the device may send no interrupt for it
     */
    boolean enableInterrupts();

    /** Tells the device that no interrupts are needed. */
    void disableInterrupts();
}
