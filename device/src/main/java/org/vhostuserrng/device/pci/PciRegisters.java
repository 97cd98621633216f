package org.vhostuserrng.device.pci;

/**
 * The registers of a region, as the bus accesses them: by double words with byte enables (PCI Local Bus 3.0 §3.2.2).
 * No field of a register crosses a double word, so an access of any width and alignment reaches each field once.
 */
interface PciRegisters {
    /**
     * Reads a double word. Only fields with an enabled byte have side effects.
     *
     * @param offset a multiple of 4 in the region
     * @param byteEnables one bit for each byte to read, the lowest for the first
     * @return the bytes; those that are not enabled are unspecified
     */
    int read(int offset, int byteEnables);

    /**
     * Writes a double word. A field keeps the bytes that are not enabled; a field without an enabled byte is not
     * written.
     *
     * @param offset a multiple of 4 in the region
     * @param byteEnables one bit for each byte to write, the lowest for the first
     */
    void write(int offset, int value, int byteEnables);
}
