package org.vhostuserrng.transport.sys;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Set;
import org.vhostuserrng.libc.Errno;
import org.vhostuserrng.libc.ErrnoException;
import org.vhostuserrng.libc.Libc;
import org.vhostuserrng.libc.OwnedFd;

/**
 * A shared, writable mapping of a range of a file. Any thread may map the file and pass the mapping to another thread;
 * {@link #open} confines the mapping to the calling thread, which accesses and closes it. Every access after
 * {@link #close} throws.
 *
 * <p>If a peer sent the file, the {@link PeerFileExecutor} unmaps it: the last munmap(2) frees the memory, which takes
 * time.
 *
 * <p>A peer can truncate a file unless it {@link #isSealed}. An access beyond the end of the file raises SIGBUS, and so
 * does an access to a huge page if the host has no free one. The JVM converts the SIGBUS of a plain access to an
 * InternalError. {@link #canVanish} returns whether SIGBUS can occur.
 */
public final class MemoryMapping implements AutoCloseable {
    private static final MemorySegment MMAP = Libc.symbol("mmap");
    private static final MemorySegment MUNMAP = Libc.symbol("munmap");
    private static final MemorySegment MADVISE = Libc.symbol("madvise");
    /** The native call of {@link #throwPendingFault}: a libc function that makes no system call. */
    private static final MemorySegment GETPAGESIZE = Libc.symbol("getpagesize");

    private static final MemorySegment FCNTL = Libc.symbol("fcntl");
    private static final int PROT_READ_WRITE = 3;
    private static final int MAP_SHARED_NORESERVE = 0x4001;
    private static final int MADV_DONTDUMP = 16;
    private static final int F_ADD_SEALS = 1033;
    private static final int F_GET_SEALS = 1034;
    private static final int F_SEAL_SHRINK = 2;
    /** The size of the largest huge page of x86-64, because munmap(2) cannot unmap a part of a page. */
    private static final long UNMAP_STEP_BYTES = 1L << 30;

    private final OwnedFd file;
    private final PageRange range;
    private final long size;
    private final long offset;
    private final boolean sealed;
    /** Null unless the file consists of huge pages. */
    private final HugePages hugePages;
    /** Null before {@link #open}. */
    private Arena arena;
    /** The requested bytes, extended to the end of their last page. */
    private MemorySegment pages;

    private MemorySegment segment;

    /**
     * The pages that are mapped.
     *
     * @param skipped offset of the requested bytes
     */
    private record PageRange(long address, long length, long skipped) {}

    private MemoryMapping(OwnedFd file, PageRange range, long size, long offset, boolean sealed, HugePages hugePages) {
        this.file = file;
        this.range = range;
        this.size = size;
        this.offset = offset;
        this.sealed = sealed;
        this.hugePages = hugePages;
    }

    /** Like {@link #adopt(OwnedFd, long, long, Set)}, for memfds, tmpfs, hugetlbfs and local file systems. */
    public static MemoryMapping adopt(OwnedFd received, long offset, long size) throws IOException {
        return adopt(received, offset, size, Set.of());
    }

    /** Like {@link #map(OwnedFd, long, long, Set)}, for memfds, tmpfs, hugetlbfs and local file systems. */
    public static MemoryMapping map(OwnedFd file, long offset, long size) throws IOException {
        return map(file, offset, size, Set.of());
    }

    /**
     * Maps {@code size} bytes from {@code offset} of a file that a peer sent, and closes the descriptor. May block, so
     * it must be called in the peer's {@link PeerFileExecutor}.
     *
     * @param allowed the types of further file systems whose files are accepted, see {@link MemoryFileSystems#require}
     * @throws IOException as {@link #map}
     */
    public static MemoryMapping adopt(OwnedFd received, long offset, long size, Set<String> allowed)
            throws IOException {
        try {
            MemoryMapping mapping = map(received, offset, size, allowed);
            received.closeNow();
            return mapping;
        } catch (IOException | RuntimeException refused) {
            received.close();
            throw refused;
        }
    }

    /**
     * Maps {@code size} bytes from {@code offset} of {@code file}. The caller may close the descriptor afterwards.
     *
     * @param allowed the types of further file systems whose files are accepted, see {@link MemoryFileSystems#require}
     * @throws UnmappableFileException if the file is not a regular file or memfd, is shorter than {@code offset +
     *     size}, cannot be written, or is in a file system that is not accepted
     * @throws IOException if the kernel lacks address space or memory
     */
    public static MemoryMapping map(OwnedFd file, long offset, long size, Set<String> allowed) throws IOException {
        FileStatus kind = FileStatus.of(file);
        if (!kind.isRegularFile()) {
            throw new UnmappableFileException("it is " + kind.describeType() + ", not a regular file or memfd");
        }
        int seals = seal(file);
        boolean isMemory = seals >= 0;
        boolean sealed = isMemory && (seals & F_SEAL_SHRINK) != 0;
        if (!isMemory) {
            MemoryFileSystems.require(file, allowed);
        }
        // The size must be read after sealing the file: before, the peer could still have truncated it.
        FileStatus status = FileStatus.of(file);
        if (offset < 0 || size <= 0 || offset > status.size() - size) {
            throw new UnmappableFileException("it has " + Long.toUnsignedString(size) + " bytes from offset "
                    + Long.toUnsignedString(offset) + " in a file of " + status.size() + " bytes");
        }
        // mmap(2): a mapping begins and ends at a page boundary of the file. On hugetlbfs, these are huge pages.
        long page = Math.max(status.blockSize(), 4096);
        long skipped = offset % page;
        long length = roundUp(skipped + size, page);
        long address = mmap(file, offset - skipped, length);
        HugePages hugePages = MemoryFileSystems.hasHugePages(file) ? new HugePages(address, length, page) : null;
        return new MemoryMapping(file, new PageRange(address, length, skipped), size, offset, sealed, hugePages);
    }

    /**
     * Maps the first {@code size} bytes of {@code file} until the process exits. Any thread may access them. The caller
     * may close the descriptor afterwards.
     *
     * @throws IOException as {@link #map}
     */
    public static MemorySegment mapUntilExit(OwnedFd file, long size) throws IOException {
        return mapUntilExit(file, size, Set.of());
    }

    /**
     * Like {@link #mapUntilExit(OwnedFd, long)}.
     *
     * @param allowed the types of further file systems whose files are accepted, see {@link MemoryFileSystems#require}
     */
    static MemorySegment mapUntilExit(OwnedFd file, long size, Set<String> allowed) throws IOException {
        return map(file, 0, size, allowed).open(Arena.global()).segment();
    }

    /** Confines the mapping to the calling thread. Must be called once, before any access. Returns this object. */
    public MemoryMapping open() {
        return open(Arena.ofConfined());
    }

    @SuppressWarnings("restricted")
    private MemoryMapping open(Arena newArena) {
        arena = newArena;
        MemorySegment whole = MemorySegment.ofAddress(range.address()).reinterpret(range.length(), arena, _ -> unmap());
        pages = whole.asSlice(range.skipped());
        segment = pages.asSlice(0, size);
        return this;
    }

    private static long roundUp(long length, long page) {
        return (length + page - 1) / page * page;
    }

    private static long mmap(OwnedFd file, long offset, long length) throws IOException {
        long address = Libc.callLong(MMAP, 0, length, PROT_READ_WRITE, MAP_SHARED_NORESERVE, file.number(), offset);
        if (address < 0) {
            throw refused((int) -address);
        }
        // Guest memory must not be written to a core file, as far as the kernel supports MADV_DONTDUMP.
        int advised = Libc.callInt(MADVISE, address, length, MADV_DONTDUMP, 0, 0);
        assert advised == 0 || advised == -Errno.EINVAL;
        return address;
    }

    private static IOException refused(int errno) {
        ErrnoException refused = new ErrnoException("mmap", errno);
        return switch (errno) {
            case Errno.ENOMEM, Errno.EAGAIN -> refused;
            case Errno.EACCES, Errno.EPERM ->
                new UnmappableFileException(
                        "it was opened read-only or is sealed against writing; " + refused.getMessage(), refused);
            default -> new UnmappableFileException(refused.getMessage(), refused);
        };
    }

    private void unmap() {
        file.execute(() -> unmap(range.address(), range.length()));
    }

    /**
     * Unmaps memory in steps, because munmap(2) locks the address space of this process, and the mmap(2) for another
     * guest waits for the lock.
     */
    private static void unmap(long address, long length) {
        for (long done = 0; done < length; done += UNMAP_STEP_BYTES) {
            long step = Math.min(UNMAP_STEP_BYTES, length - done);
            int result = Libc.callInt(MUNMAP, address + done, step, 0, 0, 0);
            assert result == 0;
        }
    }

    /**
     * Seals the file against shrinking, if the file supports seals.
     *
     * @return the file's seals, or a negated errno: only memfds and files in tmpfs and hugetlbfs have seals
     */
    private static int seal(OwnedFd file) {
        Libc.callInt(FCNTL, file.number(), F_ADD_SEALS, F_SEAL_SHRINK, 0, 0);
        return Libc.callInt(FCNTL, file.number(), F_GET_SEALS, 0, 0, 0);
    }

    /**
     * Throws the InternalError of an earlier access to vanished memory, if one is pending. Compiled code throws it only
     * at the next native call, which could otherwise be one for another guest.
     */
    public static void throwPendingFault() {
        int pageSize = Libc.callInt(GETPAGESIZE, 0, 0, 0, 0, 0);
        assert pageSize > 0;
    }

    /** The requested bytes. */
    public MemorySegment segment() {
        return segment;
    }

    /** The requested bytes, extended to the end of their last page. */
    public MemorySegment pages() {
        return pages;
    }

    /** The {@link OwnedFd#id} of the file's descriptor. */
    public long fileId() {
        return file.id();
    }

    /** The offset of the segment in the file. */
    public long offset() {
        return offset;
    }

    /** Returns whether the file is sealed against shrinking. */
    public boolean isSealed() {
        return sealed;
    }

    /** Returns whether an access can raise SIGBUS, because the file can be truncated or consists of huge pages. */
    public boolean canVanish() {
        return !sealed || hugePages != null;
    }

    /** The huge pages of the file; null if it consists of others. */
    public HugePages hugePages() {
        return hugePages;
    }

    @Override
    public void close() {
        if (arena == null) {
            unmap();
        } else {
            arena.close();
        }
    }
}
