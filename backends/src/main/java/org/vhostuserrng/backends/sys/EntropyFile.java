package org.vhostuserrng.backends.sys;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Objects;
import org.vhostuserrng.libc.Libc;
import org.vhostuserrng.libc.NativePath;
import org.vhostuserrng.libc.OwnedFd;

/** A file, FIFO or device that was opened for non-blocking reads. Not thread-safe. */
public final class EntropyFile implements AutoCloseable {
    /** Returned by {@link #read} if the device has failed, or if a terminal has hung up. */
    public static final int EIO = -5;
    /** Returned by {@link #read} if there is no data now. */
    public static final int EAGAIN = -11;
    /** Returned by {@link #read} if the target memory does not exist. */
    public static final int EFAULT = -14;

    private static final MemorySegment OPEN = Libc.symbol("open");
    private static final MemorySegment READ = Libc.symbol("read");
    private static final MemorySegment PREAD = Libc.symbol("pread");
    private static final MemorySegment FCNTL = Libc.symbol("fcntl");
    private static final MemorySegment STRERROR = Libc.symbol("strerror");
    private static final int O_NOCTTY = 0x100;
    private static final int O_NONBLOCK = 0x800;
    private static final int O_CLOEXEC = 0x80000;
    /** With O_NOCTTY, so that a terminal does not become the controlling terminal and send signals to this process. */
    private static final int FLAGS = O_NOCTTY | O_NONBLOCK | O_CLOEXEC;

    private static final int F_DUPFD_CLOEXEC = 1030;
    private static final int EINTR = -4;

    /** The kinds of files, which are read in different ways. */
    public enum Kind {
        /** A regular file or a block device, which is read by position, so that no byte is read twice. */
        REGULAR,
        DIRECTORY,
        FIFO,
        /** The character device 1:8 (/dev/random): the kernel's generator, which may block during boot. */
        RANDOM,
        /** The character device 1:9 (/dev/urandom): the kernel's generator, which never blocks. */
        URANDOM,
        OTHER
    }

    private final Path path;
    private final OwnedFd fd;

    private EntropyFile(Path path, OwnedFd fd) {
        this.path = path;
        this.fd = fd;
    }

    /**
     * Opens a file.
     *
     * @throws IOException if the file cannot be opened, with the description of the errno
     */
    public static EntropyFile open(Path path) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            int fd = Libc.callInt(OPEN, NativePath.allocate(arena, path).address(), FLAGS, 0, 0, 0);
            if (fd < 0) {
                throw new IOException(describe(fd));
            }
            return new EntropyFile(path, new OwnedFd(fd));
        }
    }

    /**
     * Takes ownership of a non-blocking descriptor.
     *
     * @param name the name of the file in messages
     */
    static EntropyFile of(Path name, OwnedFd fd) {
        return new EntropyFile(name, fd);
    }

    /** Returns the kind and the identity of the open file. */
    public EntropyFileStatus status() throws IOException {
        return EntropyFileStatus.of(fd.numberOrClosed());
    }

    /** Returns whether the file is a terminal. */
    public boolean isTerminal() {
        return TerminalRawMode.isTerminal(fd.numberOrClosed());
    }

    /** Returns another descriptor of the same open file description. */
    public EntropyFile duplicate() throws IOException {
        int copy = Libc.callInt(FCNTL, fd.numberOrClosed(), F_DUPFD_CLOEXEC, 0, 0, 0);
        if (copy < 0) {
            throw new IOException(describe(copy));
        }
        return new EntropyFile(path, new OwnedFd(copy));
    }

    /**
     * Reads with read(2) into {@code target} at {@code offset}, which may be guest memory.
     *
     * @return the number of bytes read, 0 at the end of the file, or a negated errno
     */
    public int read(MemorySegment target, long offset, int length) {
        long address = address(target, offset, length);
        long result;
        do {
            result = Libc.callLong(READ, fd.numberOrClosed(), address, length, 0, 0, 0);
        } while (result == EINTR);
        return (int) result;
    }

    /** Like {@link #read}, with pread(2) at a position in the file. */
    public int pread(long position, MemorySegment target, long offset, int length) {
        long address = address(target, offset, length);
        long result;
        do {
            result = Libc.callLong(PREAD, fd.numberOrClosed(), address, length, position, 0, 0);
        } while (result == EINTR);
        return (int) result;
    }

    /** Returns the description of a negated errno. */
    @SuppressWarnings("restricted")
    public static String describe(int negatedErrno) {
        long text = Libc.callLong(STRERROR, -negatedErrno, 0, 0, 0, 0, 0);
        return MemorySegment.ofAddress(text).reinterpret(256).getString(0) + " (errno " + -negatedErrno + ")";
    }

    /** The path that was opened. */
    public Path path() {
        return path;
    }

    @Override
    public void close() {
        fd.close();
    }

    /** The number of the descriptor, for the other classes of this package. */
    int fd() {
        return fd.numberOrClosed();
    }

    /** Returns the address of a range, for the kernel. Checks that the segment is alive and contains the range. */
    static long address(MemorySegment target, long offset, int length) {
        Objects.checkFromIndexSize(offset, length, target.byteSize());
        if (!target.scope().isAlive()) {
            throw new IllegalStateException("memory has been unmapped");
        }
        return target.address() + offset;
    }
}
