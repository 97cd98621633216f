package org.vhostuserrng.transport.sys;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.vhostuserrng.libc.ErrnoException;
import org.vhostuserrng.libc.Libc;
import org.vhostuserrng.libc.OwnedFd;

/**
 * The result of statx(2) for an open file or a path. The layout of struct statx is the same on all architectures,
 * unlike that of struct stat.
 *
 * @param mode the type and the permission bits of the file
 * @param owner the user ID of the owner
 * @param size the size of the file in bytes
 * @param blockSize the preferred block size for I/O in bytes; the size of a huge page on hugetlbfs
 * @param device the ID of the device that contains the file system
 * @param inode the inode number in the file system
 */
public record FileStatus(int mode, int owner, long size, long blockSize, long device, long inode) {
    private static final MemorySegment STATX = Libc.symbol("statx");
    private static final int AT_FDCWD = -100;
    private static final int AT_SYMLINK_NOFOLLOW = 0x100;
    private static final int AT_EMPTY_PATH = 0x1000;
    /** statx(2): does not query the server of a remote file system. */
    private static final int AT_STATX_DONT_SYNC = 0x4000;

    private static final int STATX_BASIC_STATS = 0x7ff;

    // struct statx has 256 bytes, with stx_blksize (u32) at offset 4, stx_uid (u32) at 20, stx_mode (u16) at 28,
    // stx_ino (u64) at 32, stx_size (u64) at 40, stx_dev_major (u32) at 136 and stx_dev_minor (u32) at 140.
    static final long STATX_BYTES = 256;
    private static final long INODE = 32;
    private static final long DEVICE = 136;
    private static final MemorySegment NO_NAME = Arena.global().allocate(1);
    private static final int S_IFMT = 0xf000;
    private static final int S_IFREG = 0x8000;
    private static final int S_IFSOCK = 0xc000;
    private static final int S_IFIFO = 0x1000;
    private static final int S_IFCHR = 0x2000;
    private static final int S_IFDIR = 0x4000;
    private static final int S_IFBLK = 0x6000;

    static FileStatus of(OwnedFd fd) throws ErrnoException {
        return statx(fd.number(), NO_NAME, AT_EMPTY_PATH | AT_STATX_DONT_SYNC);
    }

    /**
     * Returns the status of a path, without following a symbolic link at its end.
     *
     * @param path a C string
     */
    static FileStatus ofName(MemorySegment path) throws ErrnoException {
        return statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW);
    }

    /**
     * Tests whether a path names this file. Does not query the server of a remote file system.
     *
     * @param path a C string
     * @param scratch {@link #STATX_BYTES} bytes, which are overwritten
     * @return 1 if the path names this file, 0 if it names another one, or a negated errno
     */
    int isNamed(MemorySegment path, MemorySegment scratch) {
        int flags = AT_SYMLINK_NOFOLLOW | AT_STATX_DONT_SYNC;
        int result = Libc.callInt(STATX, AT_FDCWD, path.address(), flags, STATX_BASIC_STATS, scratch.address());
        if (result < 0) {
            return result;
        }
        boolean same = scratch.get(ValueLayout.JAVA_LONG, DEVICE) == device
                && scratch.get(ValueLayout.JAVA_LONG, INODE) == inode;
        return same ? 1 : 0;
    }

    public boolean isRegularFile() {
        return (mode & S_IFMT) == S_IFREG;
    }

    public boolean isSocket() {
        return (mode & S_IFMT) == S_IFSOCK;
    }

    /** Returns whether the file is a pipe or a FIFO. */
    public boolean isPipe() {
        return (mode & S_IFMT) == S_IFIFO;
    }

    /** Describes the type of the file, for a message. */
    public String describeType() {
        return switch (mode & S_IFMT) {
            case S_IFREG -> "a regular file";
            case S_IFSOCK -> "a socket";
            case S_IFIFO -> "a pipe";
            case S_IFCHR -> "a character device";
            case S_IFBLK -> "a block device";
            case S_IFDIR -> "a directory";
            // The mode of an anonymous inode, such as that of an eventfd or epoll instance, contains no type.
            default -> "no file of a file system";
        };
    }

    public boolean isSameFileAs(FileStatus other) {
        return device == other.device && inode == other.inode;
    }

    private static FileStatus statx(int directory, MemorySegment path, int flags) throws ErrnoException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment status = arena.allocate(STATX_BYTES, Long.BYTES);
            ErrnoException.check(
                    "statx",
                    Libc.callInt(STATX, directory, path.address(), flags, STATX_BASIC_STATS, status.address()));
            return new FileStatus(
                    status.get(ValueLayout.JAVA_SHORT, 28) & 0xffff,
                    status.get(ValueLayout.JAVA_INT, 20),
                    status.get(ValueLayout.JAVA_LONG, 40),
                    status.get(ValueLayout.JAVA_INT, 4) & 0xffff_ffffL,
                    status.get(ValueLayout.JAVA_LONG, DEVICE),
                    status.get(ValueLayout.JAVA_LONG, INODE));
        }
    }
}
