package org.vhostuserrng.fuzz;

import java.io.ByteArrayOutputStream;

/** Writes an input for {@link FuzzInputReader}. */
public final class FuzzInputWriter {
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

    public FuzzInputWriter u8(int value) {
        bytes.write(value);
        return this;
    }

    public FuzzInputWriter u16(int value) {
        return u8(value).u8(value >>> Byte.SIZE);
    }

    public FuzzInputWriter u32(int value) {
        return u16(value).u16(value >>> Short.SIZE);
    }

    public FuzzInputWriter u64(long value) {
        return u32((int) value).u32((int) (value >>> Integer.SIZE));
    }

    public FuzzInputWriter bytes(byte[] written) {
        bytes.writeBytes(written);
        return this;
    }

    public byte[] toByteArray() {
        return bytes.toByteArray();
    }
}
