package org.vhostuserrng.backends.sys;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import org.vhostuserrng.backends.sys.EntropyFile.Kind;
import org.vhostuserrng.libc.Libc;
import org.vhostuserrng.libc.NativePath;

/**
 * The kind and the identity of a file, from statx(2).
 *
 * @param identity the identity, which is equal for all names and descriptors of the same file
 */
public record EntropyFileStatus(Kind kind, Identity identity) {
    private static final MemorySegment STATX = Libc.symbol("statx");
    private static final int AT_FDCWD = -100;
    private static final int AT_EMPTY_PATH = 0x1000;
    /** STATX_BASIC_STATS and STATX_BTIME. */
    private static final int MASK = 0xfff;

    // struct statx has 256 bytes, with the following offsets.
    private static final int STATX_BYTES = 256;
    private static final int MODE = 28;
    private static final int INODE = 32;
    private static final int BIRTH_SECONDS = 80;
    private static final int BIRTH_NANOS = 88;
    private static final int RDEV_MAJOR = 128;
    private static final int RDEV_MINOR = 132;
    private static final int DEV_MAJOR = 136;
    private static final int DEV_MINOR = 140;

    // inode(7)
    private static final int S_IFMT = 0xf000;
    private static final int S_IFIFO = 0x1000;
    private static final int S_IFCHR = 0x2000;
    private static final int S_IFDIR = 0x4000;
    private static final int S_IFBLK = 0x6000;
    private static final int S_IFREG = 0x8000;

    // Linux Documentation/admin-guide/devices.txt: character devices 1:8 and 1:9
    private static final int MEM_MAJOR = 1;
    private static final int RANDOM_MINOR = 8;
    private static final int URANDOM_MINOR = 9;

    /**
     * Identifies a file while it exists. The time of birth, if the file system stores it, distinguishes the file from
     * an earlier one with the same inode number.
     *
     * @param device the device number of the file system
     * @param node the device number of a device file; 0 for other files
     */
    public record Identity(long device, long inode, long node, long birthSeconds, int birthNanos) {}

    /**
     * Returns the status of the file at a path. Follows symbolic links.
     *
     * @throws IOException if statx(2) fails, with the description of the errno
     */
    public static EntropyFileStatus of(Path path) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            return statx(AT_FDCWD, NativePath.allocate(arena, path), 0);
        }
    }

    /** Returns the status of an open file. */
    static EntropyFileStatus of(int fd) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            return statx(fd, arena.allocateFrom(""), AT_EMPTY_PATH);
        }
    }

    private static EntropyFileStatus statx(int fd, MemorySegment path, int flags) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment status = arena.allocate(STATX_BYTES, Long.BYTES);
            int result = Libc.callInt(STATX, fd, path.address(), flags, MASK, status.address());
            if (result < 0) {
                throw new IOException(EntropyFile.describe(result));
            }
            return new EntropyFileStatus(kind(status), identity(status));
        }
    }

    private static Kind kind(MemorySegment status) {
        return switch (status.get(ValueLayout.JAVA_SHORT, MODE) & S_IFMT) {
            case S_IFREG, S_IFBLK -> Kind.REGULAR;
            case S_IFDIR -> Kind.DIRECTORY;
            case S_IFIFO -> Kind.FIFO;
            case S_IFCHR -> characterDevice(status);
            default -> Kind.OTHER;
        };
    }

    private static Kind characterDevice(MemorySegment status) {
        if (status.get(ValueLayout.JAVA_INT, RDEV_MAJOR) != MEM_MAJOR) {
            return Kind.OTHER;
        }
        return switch (status.get(ValueLayout.JAVA_INT, RDEV_MINOR)) {
            case RANDOM_MINOR -> Kind.RANDOM;
            case URANDOM_MINOR -> Kind.URANDOM;
            default -> Kind.OTHER;
        };
    }

    private static Identity identity(MemorySegment status) {
        return new Identity(
                deviceNumber(status, DEV_MAJOR, DEV_MINOR),
                status.get(ValueLayout.JAVA_LONG, INODE),
                deviceNumber(status, RDEV_MAJOR, RDEV_MINOR),
                status.get(ValueLayout.JAVA_LONG, BIRTH_SECONDS),
                status.get(ValueLayout.JAVA_INT, BIRTH_NANOS));
    }

    private static long deviceNumber(MemorySegment status, int major, int minor) {
        return (long) status.get(ValueLayout.JAVA_INT, major) << Integer.SIZE
                | Integer.toUnsignedLong(status.get(ValueLayout.JAVA_INT, minor));
    }
}
