package org.vhostuserrng.fuzz;

import java.util.Arrays;

/** A fuzzer's bytes, taken from the front; behind their end there are zeros. Numbers are little-endian. */
public final class FuzzInputReader {
    private final byte[] bytes;
    private int at;

    /** Nothing of it has been taken. */
    public FuzzInputReader(byte[] bytes) {
        this.bytes = bytes.clone();
    }

    /** Whether there are bytes that have not been taken. */
    public boolean hasMore() {
        return at < bytes.length;
    }

    /** An unsigned byte. */
    public int u8() {
        return at < bytes.length ? Byte.toUnsignedInt(bytes[at++]) : 0;
    }

    /** Whether the next byte is odd. */
    public boolean flag() {
        return (u8() & 1) != 0;
    }

    /** An unsigned 16-bit number. */
    public int u16() {
        return u8() | u8() << 8;
    }

    /** 32 bits. */
    public int u32() {
        return u16() | u16() << 16;
    }

    /** 64 bits. */
    public long u64() {
        return Integer.toUnsignedLong(u32()) | (long) u32() << 32;
    }

    /** The next bytes, or as many as there are. */
    public byte[] bytes(int most) {
        int from = at;
        at = Math.min(bytes.length, at + most);
        return Arrays.copyOfRange(bytes, from, at);
    }

    /** All that is left. */
    public byte[] rest() {
        return bytes(bytes.length - at);
    }
}
