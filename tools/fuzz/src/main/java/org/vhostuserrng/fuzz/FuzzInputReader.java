package org.vhostuserrng.fuzz;

import java.util.Arrays;

/**
 * Reads little-endian numbers and bytes from the input of a fuzz target. Beyond the end of the input, all bytes are 0.
 */
public final class FuzzInputReader {
    private final byte[] bytes;
    private int position;

    /** Creates a reader that starts at the first byte. */
    public FuzzInputReader(byte[] bytes) {
        this.bytes = bytes.clone();
    }

    /** Whether there are unread bytes. */
    public boolean hasMore() {
        return position < bytes.length;
    }

    /** Reads an unsigned byte. */
    public int u8() {
        return position < bytes.length ? Byte.toUnsignedInt(bytes[position++]) : 0;
    }

    /** Reads a byte and returns its lowest bit. */
    public boolean flag() {
        return (u8() & 1) != 0;
    }

    /** Reads an unsigned 16-bit number. */
    public int u16() {
        return u8() | u8() << 8;
    }

    /** Reads a 32-bit number. */
    public int u32() {
        return u16() | u16() << 16;
    }

    /** Reads a 64-bit number. */
    public long u64() {
        return Integer.toUnsignedLong(u32()) | (long) u32() << 32;
    }

    /** Reads {@code maxLength} bytes; fewer at the end of the input. */
    public byte[] bytes(int maxLength) {
        int from = position;
        position = Math.min(bytes.length, position + maxLength);
        return Arrays.copyOfRange(bytes, from, position);
    }

    /** Reads all remaining bytes. */
    public byte[] rest() {
        return bytes(bytes.length - position);
    }
}
