package org.vhostuserrng.transport.sys;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.Executor;
import org.vhostuserrng.libc.Errno;
import org.vhostuserrng.libc.ErrnoException;
import org.vhostuserrng.libc.Libc;

/**
 * Private memory of this process of any size, whose pages are allocated when they are accessed and freed by
 * {@link #freePages}. Any thread may create it; {@link #open} confines it to the calling thread, which accesses and
 * closes it. Every access after {@link #close} throws.
 */
public final class AnonymousMapping implements AutoCloseable {
    private static final MemorySegment MMAP = Libc.symbol("mmap");
    private static final MemorySegment MUNMAP = Libc.symbol("munmap");
    private static final MemorySegment MADVISE = Libc.symbol("madvise");
    private static final int PROT_READ_WRITE = 3;
    private static final int MAP_PRIVATE_ANONYMOUS_NORESERVE = 0x4022;
    private static final int MADV_DONTNEED = 4;
    private static final int MADV_NOHUGEPAGE = 15;
    private static final int MADV_DONTDUMP = 16;

    private final long address;
    private final long size;
    private final Executor executor;
    /** Null before {@link #open}. */
    private Arena arena;

    private MemorySegment segment;

    private AnonymousMapping(long address, long size, Executor executor) {
        this.address = address;
        this.size = size;
        this.executor = executor;
    }

    /**
     * Reserves address space.
     *
     * @param size in bytes, a multiple of the page size
     * @param executor unmaps the memory
     * @throws IOException if the kernel lacks address space or memory
     */
    public static AnonymousMapping create(long size, Executor executor) throws IOException {
        long address = Libc.callLong(MMAP, 0, size, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS_NORESERVE, -1, 0);
        if (address < 0) {
            throw new ErrnoException("mmap", (int) -address);
        }
        // An access allocates one small page, also if the host prefers huge ones.
        advise(address, size, MADV_NOHUGEPAGE);
        advise(address, size, MADV_DONTDUMP);
        return new AnonymousMapping(address, size, executor);
    }

    private static void advise(long address, long size, int advice) {
        int advised = Libc.callInt(MADVISE, address, size, advice, 0, 0);
        // EINVAL: the kernel was built without it.
        assert advised == 0 || advised == -Errno.EINVAL;
    }

    /** Confines the memory to the calling thread. Must be called once, before any access. Returns this object. */
    @SuppressWarnings("restricted")
    public AnonymousMapping open() {
        arena = Arena.ofConfined();
        segment = MemorySegment.ofAddress(address).reinterpret(size, arena, _ -> unmap());
        return this;
    }

    /** The memory. Pages that were not written contain zeros. */
    public MemorySegment segment() {
        return segment;
    }

    /** Frees all pages of such a memory, which then contains zeros. */
    public static void freePages(MemorySegment memory) {
        int freed = Libc.callInt(MADVISE, memory.address(), memory.byteSize(), MADV_DONTNEED, 0, 0);
        assert freed == 0;
    }

    private void unmap() {
        executor.execute(() -> {
            int unmapped = Libc.callInt(MUNMAP, address, size, 0, 0, 0);
            assert unmapped == 0;
        });
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
