package org.vhostuserrng.transport.sys;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import org.vhostuserrng.libc.Errno;
import org.vhostuserrng.libc.ErrnoException;
import org.vhostuserrng.libc.Libc;
import org.vhostuserrng.libc.OwnedFd;

/**
 * Memory that outlives this process: a mapped memfd. Its file position records up to which offset the memory was sent.
 * The kernel stores the position, and all duplicates of the descriptor share it. Confined to one thread.
 */
public final class FdStoreMemory implements AutoCloseable {
    private static final MemorySegment LSEEK = Libc.symbol("lseek");
    private static final MemorySegment SENDFILE = Libc.symbol("sendfile");
    private static final int SEEK_SET = 0;
    private static final int SEEK_CUR = 1;

    private final OwnedFd file;
    private final MemoryMapping mapping;

    private FdStoreMemory(OwnedFd file, MemoryMapping mapping) {
        this.file = file;
        this.mapping = mapping;
    }

    /** Creates zeroed memory of {@code size} bytes. */
    public static FdStoreMemory create(String name, long size) throws IOException {
        return map(SealedMemfd.create(name, size), size);
    }

    /**
     * Maps memory that another process created. Takes ownership of the descriptor.
     *
     * @throws IOException if the file does not have this size
     */
    public static FdStoreMemory map(OwnedFd file, long size) throws IOException {
        try {
            return new FdStoreMemory(file, MemoryMapping.map(file, 0, size).open());
        } catch (IOException | RuntimeException refused) {
            file.close();
            throw refused;
        }
    }

    /** The whole memory. */
    public MemorySegment segment() {
        return mapping.segment();
    }

    /** Sets the file position. */
    public void seek(long position) throws ErrnoException {
        ErrnoException.check("lseek", (int) Libc.callLong(LSEEK, file.number(), position, SEEK_SET, 0, 0, 0));
    }

    /** The file position. */
    public long position() throws ErrnoException {
        return ErrnoException.check("lseek", (int) Libc.callLong(LSEEK, file.number(), 0, SEEK_CUR, 0, 0, 0));
    }

    /**
     * Sends bytes at the file position, and advances the position by the number of bytes sent. One system call does
     * both, so that a process that is killed has done both or neither.
     *
     * @param count maximum number of bytes to send
     * @return the number of bytes sent, {@link UnixStreamSocket#WOULD_BLOCK}, or another negated errno
     */
    public int send(UnixStreamSocket receiver, int count) {
        int sent = (int) Libc.callLong(SENDFILE, receiver.fd().number(), file.number(), 0, count, 0, 0);
        // EINTR: a signal of BlockedSyscallWatchdog interrupted the call before anything was sent.
        return sent == -Errno.EINTR ? UnixStreamSocket.WOULD_BLOCK : sent;
    }

    /** The descriptor, to add to an {@link FdQueueSocket}. This object remains the owner. */
    public OwnedFd fd() {
        return file;
    }

    /** Unmaps the memory and closes this process's descriptor. */
    @Override
    public void close() {
        mapping.close();
        file.close();
    }
}
