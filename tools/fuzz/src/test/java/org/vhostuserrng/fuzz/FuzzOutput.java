package org.vhostuserrng.fuzz;

import java.io.ByteArrayOutputStream;

/** Writes what a {@link FuzzInput} reads. */
public final class FuzzOutput {
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

    public FuzzOutput u8(int value) {
        bytes.write(value);
        return this;
    }

    public FuzzOutput u16(int value) {
        return u8(value).u8(value >>> Byte.SIZE);
    }

    public FuzzOutput u32(int value) {
        return u16(value).u16(value >>> Short.SIZE);
    }

    public FuzzOutput u64(long value) {
        return u32((int) value).u32((int) (value >>> Integer.SIZE));
    }

    public FuzzOutput bytes(byte[] written) {
        bytes.writeBytes(written);
        return this;
    }

    public byte[] toByteArray() {
        return bytes.toByteArray();
    }
}
