package org.vhostuserrng.device.pci;

import java.util.Arrays;
import org.vhostuserrng.transport.pci.PciFunctionHost;

/**
 * MSI-X (PCI Local Bus 3.0 §6.8.2): the table, the Pending Bit Array, and the messages. A message that cannot be sent,
 * because its vector or the function is masked or the function is not a bus master, is pending.
 */
final class MsixInterrupts implements PciRegisters {
    private static final int ENTRY_DWORDS = PciConstants.PCI_MSIX_ENTRY_SIZE / Integer.BYTES;

    private final PciFunctionHost host;
    private final int vectorCount;
    /** The table's double words. */
    private final int[] table;
    /** The Pending Bit Array, an array of 64-bit words. */
    private final int[] pending;

    private boolean tableWritten;
    private boolean enabled;
    private boolean functionMasked;
    private boolean busMaster;

    MsixInterrupts(PciFunctionHost host, int vectorCount) {
        this.host = host;
        this.vectorCount = vectorCount;
        table = new int[vectorCount * ENTRY_DWORDS];
        pending = new int[(vectorCount + Long.SIZE - 1) / Long.SIZE * 2];
        resetTable();
    }

    /** Resets the table and forgets pending messages; {@link #configure} is called afterwards. */
    void resetTable() {
        tableWritten = false;
        clearPending();
        Arrays.fill(table, 0);
        for (int vector = 0; vector < vectorCount; vector++) {
            // PCI §6.8.2.9: the Mask bit is 1 after reset.
            table[vectorControl(vector)] = PciConstants.PCI_MSIX_ENTRY_CTRL_MASKBIT;
        }
    }

    /** Forgets pending messages, because the device has been reset. */
    void clearPending() {
        Arrays.fill(pending, 0);
    }

    /**
     * Applies the function's configuration and sends pending messages that are no longer masked.
     *
     * @param nowEnabled MSI-X Enable of the Message Control register
     * @param nowFunctionMasked Function Mask of the Message Control register
     * @param nowBusMaster whether the function may write to memory
     */
    void configure(boolean nowEnabled, boolean nowFunctionMasked, boolean nowBusMaster) {
        enabled = nowEnabled;
        functionMasked = nowFunctionMasked;
        busMaster = nowBusMaster;
        if (!enabled) {
            clearPending();
        }
        sendPending();
    }

    boolean isEnabled() {
        return enabled;
    }

    // --- messages --------------------------------------------------------------------------------------------------

    /**
     * Sends a message while MSI-X is enabled, or makes it pending. Data path.
     *
     * @param vector a vector of the table; nothing is sent for any other value, such as VIRTIO_MSI_NO_VECTOR
     */
    void send(int vector) {
        if (vector >= vectorCount) {
            return;
        }
        if (isMasked(vector)) {
            pending[vector / Integer.SIZE] |= 1 << (vector % Integer.SIZE);
        } else {
            host.triggerMsix(vector);
        }
    }

    private boolean isMasked(int vector) {
        // A VMM that emulates the table, such as QEMU, never writes to it here, and masks vectors itself. The mask bits
        // of this table then still have their initial values and do not count.
        return functionMasked
                || !busMaster
                || (tableWritten && (table[vectorControl(vector)] & PciConstants.PCI_MSIX_ENTRY_CTRL_MASKBIT) != 0);
    }

    private static int vectorControl(int vector) {
        return (vector * PciConstants.PCI_MSIX_ENTRY_SIZE + PciConstants.PCI_MSIX_ENTRY_VECTOR_CTRL) / Integer.BYTES;
    }

    private void sendPending() {
        if (!enabled) {
            return;
        }
        for (int vector = 0; vector < vectorCount; vector++) {
            int bit = 1 << (vector % Integer.SIZE);
            if ((pending[vector / Integer.SIZE] & bit) != 0 && !isMasked(vector)) {
                pending[vector / Integer.SIZE] &= ~bit;
                host.triggerMsix(vector);
            }
        }
    }

    // --- registers of the MSI-X BAR --------------------------------------------------------------------------------

    @Override
    public int read(int offset, int byteEnables) {
        int tableIndex = (offset - VirtioPciLayout.MSIX_TABLE_OFFSET) / Integer.BYTES;
        if (tableIndex < table.length) {
            return table[tableIndex];
        }
        int pendingIndex = (offset - VirtioPciLayout.MSIX_PBA_OFFSET) / Integer.BYTES;
        return offset >= VirtioPciLayout.MSIX_PBA_OFFSET && pendingIndex < pending.length ? pending[pendingIndex] : 0;
    }

    /** Writes the table. The Pending Bit Array is read-only. */
    @Override
    public void write(int offset, int value, int byteEnables) {
        int index = (offset - VirtioPciLayout.MSIX_TABLE_OFFSET) / Integer.BYTES;
        if (index >= table.length) {
            return;
        }
        tableWritten = true;
        table[index] = ByteEnables.merge(table[index], value, byteEnables) & writableBits(index);
        sendPending();
    }

    private static int writableBits(int index) {
        return switch (index % ENTRY_DWORDS) {
            // PCI §6.8.2.6: the lowest two bits of an address are 0.
            case 0 -> ~3;
            case 1, 2 -> -1;
            default -> PciConstants.PCI_MSIX_ENTRY_CTRL_MASKBIT;
        };
    }
}
