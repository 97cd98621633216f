package org.vhostuserrng.backends.sys;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Objects;
import org.vhostuserrng.libc.Libc;
import org.vhostuserrng.libc.NativePath;
import org.vhostuserrng.libc.OwnedFd;

/** A file, FIFO or device opened for non-blocking reads. Not thread-safe; closed exactly once. */
public final class EntropyFile implements AutoCloseable {
    /** Result of {@link #read}: the device has failed, or the other side of a terminal is gone. */
    public static final int EIO = -5;
    /** Result of {@link #read}: no data now. */
    public static final int EAGAIN = -11;
    /** Result of {@link #read}: the target memory does not exist. */
    public static final int EFAULT = -14;

    private static final MemorySegment OPEN = Libc.symbol("open");
    private static final MemorySegment READ = Libc.symbol("read");
    private static final MemorySegment PREAD = Libc.symbol("pread");
    private static final MemorySegment FCNTL = Libc.symbol("fcntl");
    private static final MemorySegment STRERROR = Libc.symbol("strerror");
    private static final int O_NOCTTY = 0x100;
    private static final int O_NONBLOCK = 0x800;
    private static final int O_CLOEXEC = 0x80000;
    /** O_NOCTTY: a terminal must not send its signals to a process that leads a session. */
    private static final int FLAGS = O_NOCTTY | O_NONBLOCK | O_CLOEXEC;

    private static final int F_DUPFD_CLOEXEC = 1030;
    private static final int EINTR = -4;

    /** Kinds of files that are read differently. */
    public enum Kind {
        /** A regular file or a block device: read by position, so that no byte is read twice. */
        REGULAR,
        DIRECTORY,
        FIFO,
        /** /dev/random, by device number: the kernel's generator, which may block during boot. */
        RANDOM,
        /** /dev/urandom, by device number: the same generator, but never blocks. */
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
     * @throws IOException with the text of the errno
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

    /** A non-blocking descriptor of a file that has another name in messages. */
    static EntropyFile of(Path name, OwnedFd fd) {
        return new EntropyFile(name, fd);
    }

    /** The kind and identity of the open file. */
    public EntropyFileStatus status() throws IOException {
        return EntropyFileStatus.of(fd.numberOrClosed());
    }

    /** Whether the file is a terminal. */
    public boolean isTerminal() {
        return TerminalRawMode.isTerminal(fd.numberOrClosed());
    }

    /** Another descriptor of the same open file. */
    public EntropyFile duplicate() throws IOException {
        int copy = Libc.callInt(FCNTL, fd.numberOrClosed(), F_DUPFD_CLOEXEC, 0, 0, 0);
        if (copy < 0) {
            throw new IOException(describe(copy));
        }
        return new EntropyFile(path, new OwnedFd(copy));
    }

    /**
     * Calls read(2) on {@code target} at {@code offset}, which may be guest memory.
     *
     * @return bytes read, 0 at end of file, or a negated errno
     */
    public int read(MemorySegment target, long offset, int length) {
        long address = address(target, offset, length);
        long result;
        do {
            result = Libc.callLong(READ, fd.numberOrClosed(), address, length, 0, 0, 0);
        } while (result == EINTR);
        return (int) result;
    }

    /** Like {@link #read}, with pread(2) from a position in the file. */
    public int pread(long position, MemorySegment target, long offset, int length) {
        long address = address(target, offset, length);
        long result;
        do {
            result = Libc.callLong(PREAD, fd.numberOrClosed(), address, length, position, 0, 0);
        } while (result == EINTR);
        return (int) result;
    }

    /** The text of a negated errno. */
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

    /** The file descriptor, for the other classes of this package. */
    int fd() {
        return fd.numberOrClosed();
    }

    /** Checks that a segment is alive and contains the range, and returns the raw address for the kernel. */
    static long address(MemorySegment target, long offset, int length) {
        Objects.checkFromIndexSize(offset, length, target.byteSize());
        if (!target.scope().isAlive()) {
            throw new IllegalStateException("memory has been unmapped");
        }
        return target.address() + offset;
    }
}
