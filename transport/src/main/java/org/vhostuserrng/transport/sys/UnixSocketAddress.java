package org.vhostuserrng.transport.sys;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import org.vhostuserrng.libc.Libc;
import org.vhostuserrng.libc.NativePath;
import org.vhostuserrng.libc.NativeText;
import org.vhostuserrng.libc.OwnedFd;

/** Encodes and decodes struct sockaddr_un { sa_family_t sun_family; char sun_path[108]; }. */
final class UnixSocketAddress {
    static final int AF_UNIX = 1;
    static final int PATH_OFFSET = 2;
    private static final int PATH_BYTES = 108;
    /** Maximum length of a path in bytes, because the last byte of sun_path is NUL. */
    static final int MAX_PATH_BYTES = PATH_BYTES - 1;

    private static final MemorySegment GETSOCKNAME = Libc.symbol("getsockname");

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

    /**
     * Encodes an address in the form that systemd uses in environment variables.
     *
     * @param text the absolute path of a socket, or {@code @} and its abstract name
     * @throws IllegalArgumentException if the text has another form or is too long
     */
    static MemorySegment of(String text, Arena arena) {
        byte[] name = NativeText.encode(text);
        boolean isAbstract = text.startsWith("@");
        if (!(isAbstract || text.startsWith("/")) || name.length < 2 || name.length > MAX_PATH_BYTES) {
            throw new IllegalArgumentException(
                    "expected an absolute path, or @ and an abstract name, of at most " + MAX_PATH_BYTES + " bytes");
        }
        // unix(7): the length of the address determines the end of an abstract name, so no NUL byte follows it.
        MemorySegment address = arena.allocate(PATH_OFFSET + name.length + (isAbstract ? 0 : 1), Long.BYTES);
        address.set(ValueLayout.JAVA_SHORT, 0, (short) AF_UNIX);
        MemorySegment.copy(name, 0, address, ValueLayout.JAVA_BYTE, PATH_OFFSET, name.length);
        if (isAbstract) {
            address.set(ValueLayout.JAVA_BYTE, PATH_OFFSET, (byte) 0);
        }
        return address;
    }

    /**
     * Returns the path to which a socket is bound; null if it is not bound, has an abstract name, or is not a UNIX
     * socket.
     */
    static String boundPath(OwnedFd fd) {
        try (Arena arena = Arena.ofConfined()) {
            int size = PATH_OFFSET + PATH_BYTES;
            MemorySegment address = arena.allocate(size + 1L, Long.BYTES);
            MemorySegment length = arena.allocateFrom(ValueLayout.JAVA_INT, size);
            int result = Libc.callInt(GETSOCKNAME, fd.number(), address.address(), length.address(), 0, 0);
            boolean isUnix = result == 0 && address.get(ValueLayout.JAVA_SHORT, 0) == AF_UNIX;
            if (!isUnix || address.get(ValueLayout.JAVA_BYTE, PATH_OFFSET) == 0) {
                return null;
            }
            MemorySegment path = address.asSlice(PATH_OFFSET);
            int end = 0;
            while (path.get(ValueLayout.JAVA_BYTE, end) != 0) {
                end++;
            }
            return NativeText.decode(path.asSlice(0, end).toArray(ValueLayout.JAVA_BYTE));
        }
    }
}
