package org.vhostuserrng.transport.sys;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import org.vhostuserrng.libc.NativePath;

/** struct sockaddr_un { sa_family_t sun_family; char sun_path[108]; }. */
final class UnixSocketAddress {
    static final int AF_UNIX = 1;
    static final int PATH_OFFSET = 2;
    private static final int PATH_BYTES = 108;
    /** Maximum length of a path: the last byte of sun_path is NUL. */
    static final int MAX_PATH_BYTES = PATH_BYTES - 1;

    private UnixSocketAddress() {}

    static MemorySegment of(Path path, Arena arena) {
        byte[] name = NativePath.bytes(path);
        if (name.length == 0 || name.length > MAX_PATH_BYTES) {
            throw new IllegalArgumentException("socket path of " + name.length + " bytes (1 to " + MAX_PATH_BYTES
                    + " allowed): " + NativePath.text(path));
        }
        MemorySegment address = arena.allocate(PATH_OFFSET + PATH_BYTES, Long.BYTES);
        address.set(ValueLayout.JAVA_SHORT, 0, (short) AF_UNIX);
        MemorySegment.copy(name, 0, address, ValueLayout.JAVA_BYTE, PATH_OFFSET, name.length);
        return address;
    }
}
