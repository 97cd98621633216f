package org.vhostuserrng.device.pci;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Converts accesses of any width and alignment to accesses of double words with byte enables. */
final class ByteEnables {
    static final int ALL = 0xf;

    private ByteEnables() {}

    /** The byte enables of {@code count} bytes from byte {@code first} of a double word. */
    static int of(int first, int count) {
        return (((1 << count) - 1) << first) & ALL;
    }

    /** All bits of the enabled bytes. */
    static int bits(int byteEnables) {
        return (byteEnables & 1) * 0xff
                | (byteEnables >> 1 & 1) * 0xff00
                | (byteEnables >> 2 & 1) * 0xff_0000
                | (byteEnables >> 3 & 1) * 0xff00_0000;
    }

    /** The double word {@code old} with the enabled bytes of {@code value}. */
    static int merge(int old, int value, int byteEnables) {
        int bits = bits(byteEnables);
        return (old & ~bits) | (value & bits);
    }

    /** Reads bytes. */
    static void read(PciRegisters registers, int offset, MemorySegment target) {
        int size = (int) target.byteSize();
        int done = 0;
        while (done < size) {
            int at = offset + done;
            int first = at % Integer.BYTES;
            int count = Math.min(Integer.BYTES - first, size - done);
            int value = registers.read(at - first, of(first, count)) >>> (first * Byte.SIZE);
            for (int i = 0; i < count; i++) {
                target.set(ValueLayout.JAVA_BYTE, done + i, (byte) (value >>> (i * Byte.SIZE)));
            }
            done += count;
        }
    }

    /** Writes bytes. */
    static void write(PciRegisters registers, int offset, MemorySegment data) {
        int size = (int) data.byteSize();
        int done = 0;
        while (done < size) {
            int at = offset + done;
            int first = at % Integer.BYTES;
            int count = Math.min(Integer.BYTES - first, size - done);
            int value = 0;
            for (int i = 0; i < count; i++) {
                value |= Byte.toUnsignedInt(data.get(ValueLayout.JAVA_BYTE, done + i)) << (i * Byte.SIZE);
            }
            registers.write(at - first, value << (first * Byte.SIZE), of(first, count));
            done += count;
        }
    }
}
