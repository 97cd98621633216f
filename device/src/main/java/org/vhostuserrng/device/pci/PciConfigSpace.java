package org.vhostuserrng.device.pci;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The registers of a configuration space (PCI Local Bus 3.0 §6.1, PCI Express 5.0 §7.2) with their initial values and
 * writable bits. Undefined registers are reserved: they read 0 and ignore writes. So do all bytes from 256, which means
 * that there is no extended capability (PCI Express 5.0 §7.6.3).
 */
final class PciConfigSpace implements PciRegisters {
    private final ByteBuffer initial = allocate();
    private final ByteBuffer writable = allocate();
    private final ByteBuffer current = allocate();

    private static ByteBuffer allocate() {
        return ByteBuffer.allocate(PciConstants.PCI_CFG_SPACE_SIZE).order(ByteOrder.LITTLE_ENDIAN);
    }

    // --- definition ------------------------------------------------------------------------------------------------

    /** Defines an 8-bit register with its initial value and its writable bits. */
    void define8(int offset, int value, int writableBits) {
        initial.put(offset, (byte) value);
        writable.put(offset, (byte) writableBits);
        current.put(offset, (byte) value);
    }

    /** Defines a 16-bit register with its initial value and its writable bits. */
    void define16(int offset, int value, int writableBits) {
        initial.putShort(offset, (short) value);
        writable.putShort(offset, (short) writableBits);
        current.putShort(offset, (short) value);
    }

    /** Defines a 32-bit register with its initial value and its writable bits. */
    void define32(int offset, int value, int writableBits) {
        initial.putInt(offset, value);
        writable.putInt(offset, writableBits);
        current.putInt(offset, value);
    }

    /** Adds a capability before those that are already in the list (PCI Local Bus 3.0 §6.7). */
    void addCapability(int offset, int id) {
        define8(offset + PciConstants.PCI_CAP_LIST_ID, id, 0);
        define8(offset + PciConstants.PCI_CAP_LIST_NEXT, get8(PciConstants.PCI_CAPABILITY_LIST), 0);
        define8(PciConstants.PCI_CAPABILITY_LIST, offset, 0);
        define16(PciConstants.PCI_STATUS, PciConstants.PCI_STATUS_CAP_LIST, 0);
    }

    // --- access ----------------------------------------------------------------------------------------------------

    @Override
    public int read(int offset, int byteEnables) {
        return offset < PciConstants.PCI_CFG_SPACE_SIZE ? current.getInt(offset) : 0;
    }

    @Override
    public void write(int offset, int value, int byteEnables) {
        if (offset < PciConstants.PCI_CFG_SPACE_SIZE) {
            int bits = writable.getInt(offset) & ByteEnables.bits(byteEnables);
            current.putInt(offset, (current.getInt(offset) & ~bits) | (value & bits));
        }
    }

    /** The current value of an 8-bit register. */
    int get8(int offset) {
        return Byte.toUnsignedInt(current.get(offset));
    }

    /** The current value of a 16-bit register. */
    int get16(int offset) {
        return Short.toUnsignedInt(current.getShort(offset));
    }

    /** The current value of a 32-bit register. */
    int get32(int offset) {
        return current.getInt(offset);
    }

    /** Changes a 32-bit register, also its read-only bits. */
    void set32(int offset, int value) {
        current.putInt(offset, value);
    }

    /** Restores all initial values. */
    void reset() {
        current.put(0, initial, 0, PciConstants.PCI_CFG_SPACE_SIZE);
    }
}
