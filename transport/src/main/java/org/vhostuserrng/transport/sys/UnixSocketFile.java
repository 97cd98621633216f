package org.vhostuserrng.transport.sys;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.vhostuserrng.libc.Errno;
import org.vhostuserrng.libc.ErrnoException;
import org.vhostuserrng.libc.Libc;
import org.vhostuserrng.libc.OwnedFd;

/** The file of a listening socket. {@link #remove} deletes it only if it is still the file that was bound. */
final class UnixSocketFile {
    private static final UnixSocketFile NONE = new UnixSocketFile(null, null);

    private final Path path;
    private final FileStatus bound;

    private UnixSocketFile(Path path, FileStatus bound) {
        this.path = path;
        this.bound = bound;
    }

    /** The file of a socket that another process bound: never removed. */
    static UnixSocketFile none() {
        return NONE;
    }

    /** Removes a stale file at {@code path}, and prevents other daemons from doing so until the claim is closed. */
    static Claim claim(Path path) throws IOException {
        Claim claim = new Claim(path);
        try {
            removeStale(path);
            return claim;
        } catch (IOException | RuntimeException refused) {
            claim.close();
            throw refused;
        }
    }

    void remove() {
        if (path == null) {
            return;
        }
        try {
            if (FileStatus.ofName(path.toString()).isSameFileAs(bound)) {
                Files.deleteIfExists(path);
            }
        } catch (IOException gone) {
            // Another process has removed the file, or the directory is no longer writable.
            return;
        }
    }

    private static void removeStale(Path path) throws IOException {
        if (!Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        if (!FileStatus.ofName(path.toString()).isSocket()) {
            throw new FileSystemException(path + " exists and is not a socket");
        }
        if (isListening(path)) {
            throw new FileSystemException(path + " is in use: another program listens on it");
        }
        Files.deleteIfExists(path);
    }

    private static boolean isListening(Path path) throws IOException {
        MemorySegment connect = Libc.symbol("connect");
        OwnedFd probe = UnixListeningSocket.newSocket();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment address = UnixSocketAddress.of(path, arena);
            int result = Libc.callInt(connect, probe.number(), address.address(), address.byteSize(), 0, 0);
            // Every other result, such as EAGAIN for a full backlog or EACCES, may come from a live listener.
            return result != -Errno.ECONNREFUSED;
        } finally {
            probe.close();
        }
    }

    /**
     * A lock on the directory. Without it, if two daemons start at the same time, both find the file stale, and the
     * second daemon removes the file that the first one has just bound.
     */
    static final class Claim implements AutoCloseable {
        private static final MemorySegment OPEN = Libc.symbol("open");
        private static final MemorySegment FLOCK = Libc.symbol("flock");
        private static final int O_CLOEXEC = 0x80000;
        private static final int LOCK_EX_NB = 2 | 4;
        private static final int MAX_ATTEMPTS = 100;
        private static final long PAUSE = TimeUnit.MILLISECONDS.toNanos(10);

        private final Path path;
        private final OwnedFd directory;

        private Claim(Path path) throws IOException {
            this.path = path;
            this.directory = openDirectory(path.toAbsolutePath().getParent());
            try {
                lock();
            } catch (IOException refused) {
                directory.close();
                throw refused;
            }
        }

        /** The file after it has been bound. */
        UnixSocketFile bound() throws ErrnoException {
            return new UnixSocketFile(path, FileStatus.ofName(path.toString()));
        }

        @Override
        public void close() {
            directory.close();
        }

        private static OwnedFd openDirectory(Path directory) throws IOException {
            if (directory == null || !Files.isDirectory(directory)) {
                throw new FileSystemException("no directory " + directory);
            }
            try (Arena arena = Arena.ofConfined()) {
                long name = arena.allocateFrom(directory.toString()).address();
                return new OwnedFd(
                        ErrnoException.check("open " + directory, Libc.callInt(OPEN, name, O_CLOEXEC, 0, 0, 0)));
            }
        }

        private void lock() throws IOException {
            for (int attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
                int result = Libc.callInt(FLOCK, directory.number(), LOCK_EX_NB, 0, 0, 0);
                if (result != -Errno.EAGAIN) {
                    ErrnoException.check("flock", result);
                    return;
                }
                LockSupport.parkNanos(PAUSE);
            }
            throw new FileSystemException("another program has locked the directory of " + path);
        }
    }
}
