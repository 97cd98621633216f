package org.vhostuserrng.transport.sys;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * A range of a file that a front-end shares with us, mapped readable and writable. Confined to the thread that made
 * it; after {@link #close} every access throws.
 *
 * <p>If a peer sent its descriptor, it is unmapped in the {@link DeferredCloser}: whoever is the last to have the guest's
 * memory frees it.
 *
 * <p>The file may be shrunk under us unless it is sealed, which {@link #isSealed} tells: an access beyond its end is a
 * SIGBUS, which the JVM turns into an InternalError for the kinds of access that the data path keeps to. So is one to a
 * huge page that the host does not have; {@link #canVanish} tells whether any access can be.
 */
public final class MemoryMapping implements AutoCloseable {
    private static final MemorySegment MMAP = Libc.symbol("mmap");
    private static final MemorySegment MUNMAP = Libc.symbol("munmap");
    private static final MemorySegment MADVISE = Libc.symbol("madvise");
    /** The cheapest of libc's functions. */
    private static final MemorySegment GETPAGESIZE = Libc.symbol("getpagesize");

    private static final MemorySegment FCNTL = Libc.symbol("fcntl");
    private static final int PROT_READ_WRITE = 3;
    private static final int MAP_SHARED_NORESERVE = 0x4001;
    private static final int MADV_DONTDUMP = 16;
    private static final int F_ADD_SEALS = 1033;
    private static final int F_GET_SEALS = 1034;
    private static final int F_SEAL_SHRINK = 2;

    private final Arena arena;
    /** To the end of the last page. */
    private final MemorySegment pages;

    private final MemorySegment segment;
    private final boolean sealed;
    private final boolean canVanish;

    private MemoryMapping(Arena arena, MemorySegment pages, long size, boolean sealed, boolean canVanish) {
        this.arena = arena;
        this.pages = pages;
        this.segment = pages.asSlice(0, size);
        this.sealed = sealed;
        this.canVanish = canVanish;
    }

    /**
     * Takes a descriptor that a peer sent, and maps {@code size} bytes from {@code offset} of its file. It is closed, which
     * does not wait once the file is known, and kept in use by the mapping.
     *
     * @throws IOException as {@link #of}
     */
    public static MemoryMapping adopt(OwnedFd received, long offset, long size) throws IOException {
        try {
            MemoryMapping mapping = of(received, offset, size);
            received.closeAtOnce();
            return mapping;
        } catch (IOException | RuntimeException refused) {
            received.close();
            throw refused;
        }
    }

    /**
     * Maps {@code size} bytes from {@code offset} of {@code file}, which stays the caller's to close.
     *
     * @throws IOException if the file is no regular one (memfd, tmpfs and hugetlbfs files are), is shorter than
     *     {@code offset + size}, or lies where to access it may take any time (FUSE, NFS and the like)
     */
    public static MemoryMapping of(OwnedFd file, long offset, long size) throws IOException {
        FileStatus status = FileStatus.of(file);
        if (!status.isRegularFile()) {
            throw new IOException("memory is no file that can be mapped");
        }
        // A page fault cannot be told not to wait, and all guests of the loop would.
        if (!FileSystemType.isLocal(file, status)) {
            throw new IOException(
                    "memory in a file system that another process or computer may provide (FUSE, NFS, …)");
        }
        if (offset < 0 || size <= 0 || offset > status.size() - size) {
            throw new IOException("region of " + size + " bytes from offset " + Long.toUnsignedString(offset)
                    + " in a file of " + status.size() + " bytes");
        }
        boolean sealed = seal(file);
        boolean canVanish = !sealed || FileSystemType.isOfHugePages(file);
        // A mapping begins and ends on a page of the file, which may be a huge one.
        long page = Math.max(status.blockSize(), 4096);
        long skipped = offset % page;
        Arena arena = Arena.ofConfined();
        MemorySegment whole = map(file, offset - skipped, roundUp(skipped + size, page), arena);
        return new MemoryMapping(arena, whole.asSlice(skipped), size, sealed, canVanish);
    }

    private static long roundUp(long length, long page) {
        return (length + page - 1) / page * page;
    }

    @SuppressWarnings("restricted")
    private static MemorySegment map(OwnedFd file, long offset, long length, Arena arena) throws ErrnoException {
        long address = Libc.callLong(MMAP, 0, length, PROT_READ_WRITE, MAP_SHARED_NORESERVE, file.number(), offset);
        if (address < 0) {
            throw new ErrnoException("mmap", (int) -address);
        }
        // The guest's memory is not ours to leave in a core file. A kernel that cannot is no reason to stop.
        int advised = Libc.callInt(MADVISE, address, length, MADV_DONTDUMP, 0, 0);
        assert advised == 0 || advised == -Errno.EINVAL;
        return MemorySegment.ofAddress(address)
                .reinterpret(length, arena, _ -> file.release(() -> unmap(address, length)));
    }

    private static void unmap(long address, long length) {
        int result = Libc.callInt(MUNMAP, address, length, 0, 0, 0);
        assert result == 0;
    }

    /** Forbids shrinking if the file allows that (a memfd does while it is not sealed otherwise). */
    private static boolean seal(OwnedFd file) {
        int added = Libc.callInt(FCNTL, file.number(), F_ADD_SEALS, F_SEAL_SHRINK, 0, 0);
        if (added == 0) {
            return true;
        }
        int seals = Libc.callInt(FCNTL, file.number(), F_GET_SEALS, 0, 0, 0);
        return seals > 0 && (seals & F_SEAL_SHRINK) != 0;
    }

    /**
     * Has accesses to memory that vanished reported here, by an InternalError, if one is due: compiled code reports them
     * late, at the next native call, which would be another guest's turn.
     */
    public static void settle() {
        int pageSize = Libc.callInt(GETPAGESIZE, 0, 0, 0, 0, 0);
        assert pageSize > 0;
    }

    /** The mapped bytes, exactly those asked for. */
    public MemorySegment segment() {
        return segment;
    }

    /** The mapped bytes, and those behind them on the last page. */
    public MemorySegment pages() {
        return pages;
    }

    /** Whether the file can no longer be shrunk. */
    public boolean isSealed() {
        return sealed;
    }

    /** Whether an access can find nothing: the file can be shrunk, or is made of huge pages. */
    public boolean canVanish() {
        return canVanish;
    }

    @Override
    public void close() {
        arena.close();
    }
}
