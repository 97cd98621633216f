package org.vhostuserrng.backends.sys;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Optional;
import org.vhostuserrng.libc.Libc;

/**
 * getrandom(2) without a system call, through the vDSO function (vdso(7)) of Linux 6.11 and later. Takes a quarter of
 * the time for 64 bytes and half for long requests.
 *
 * <p>The function keeps a key in a page that this object owns and replaces it after each call. It fetches a new key
 * when the kernel's generator has been reseeded, which also happens when a virtual machine is cloned. The kernel never
 * swaps the page, clears it in a forked child, and may drop it, after which the next call uses a new key.
 *
 * <p>Unlike the system call, the function faults on unmapped memory. It therefore fills a block of this object, which
 * is then copied to the target. Confined to the thread that opened it.
 */
public final class VdsoGetrandom implements AutoCloseable {
    /** Small enough for a block and its target to fit into the L1 data cache. */
    static final int BLOCK_BYTES = 4096;

    private static final String VDSO = "linux-vdso.so.1";
    private static final MemorySegment DLOPEN = Libc.symbol("dlopen");
    private static final MemorySegment DLSYM = Libc.symbol("dlsym");
    private static final int RTLD_LAZY = 1;
    private static final int RTLD_NOLOAD = 4;

    private static final MemorySegment MMAP = Libc.symbol("mmap");
    private static final MemorySegment MUNMAP = Libc.symbol("munmap");
    private static final int PAGE_BYTES = 4096;

    // struct vgetrandom_opaque_params { u32 size_of_opaque_state, mmap_prot, mmap_flags, reserved[13]; };
    private static final int PARAMS_BYTES = 64;
    private static final long STATE_BYTES = 0;
    private static final long MMAP_PROT = 4;
    private static final long MMAP_FLAGS = 8;
    /** Passed as opaque_len to query the parameters. */
    private static final long QUERY_PARAMS = -1;

    private static final MemorySegment FUNCTION = function();

    private final Arena arena = Arena.ofConfined();
    private final MemorySegment block = arena.allocate(BLOCK_BYTES, Long.BYTES);
    private final long state;
    private final int stateBytes;

    private VdsoGetrandom(long state, int stateBytes) {
        this.state = state;
        this.stateBytes = stateBytes;
    }

    /** Empty if the kernel lacks the function or has no memory for its state. */
    public static Optional<VdsoGetrandom> open() {
        if (FUNCTION.address() == 0) {
            return Optional.empty();
        }
        try (Arena scratch = Arena.ofConfined()) {
            MemorySegment params = scratch.allocate(PARAMS_BYTES, Integer.BYTES);
            long result = Libc.callRaw(FUNCTION, 0, 0, 0, params.address(), QUERY_PARAMS);
            int stateBytes = params.get(ValueLayout.JAVA_INT, STATE_BYTES);
            if (result != 0 || stateBytes < 1 || stateBytes > PAGE_BYTES) {
                return Optional.empty();
            }
            int protection = params.get(ValueLayout.JAVA_INT, MMAP_PROT);
            int flags = params.get(ValueLayout.JAVA_INT, MMAP_FLAGS);
            long page = Libc.callLong(MMAP, 0, PAGE_BYTES, protection, flags, -1, 0);
            return page < 0 ? Optional.empty() : Optional.of(new VdsoGetrandom(page, stateBytes));
        }
    }

    /** The function, or address 0. */
    private static MemorySegment function() {
        String name = System.getProperty("os.arch").equals("amd64") ? "__vdso_getrandom" : "__kernel_getrandom";
        try (Arena scratch = Arena.ofConfined()) {
            long path = scratch.allocateFrom(VDSO).address();
            long vdso = Libc.callRaw(DLOPEN, path, RTLD_LAZY | RTLD_NOLOAD, 0, 0, 0);
            long symbol = scratch.allocateFrom(name).address();
            return MemorySegment.ofAddress(vdso == 0 ? 0 : Libc.callRaw(DLSYM, vdso, symbol, 0, 0, 0));
        }
    }

    /**
     * Fills {@code target} starting at {@code offset}.
     *
     * @return bytes written, 1 to {@code length}, or {@link GetrandomSyscall#EAGAIN} or another negated errno
     * @throws InternalError if the target memory is mapped from a file that was truncated
     */
    public int fill(MemorySegment target, long offset, int length) {
        int filled = 0;
        while (filled < length) {
            int generated = generate(Math.min(length - filled, BLOCK_BYTES));
            if (generated <= 0) {
                return filled > 0 ? filled : generated;
            }
            WipingCopy.moveAndWipe(block, 0, target, offset + filled, generated);
            filled += generated;
        }
        return filled;
    }

    private int generate(int length) {
        long address = EntropyFile.address(block, 0, length);
        return (int) Libc.callRaw(FUNCTION, address, length, GetrandomSyscall.GRND_NONBLOCK, state, stateBytes);
    }

    /** The intermediate block, for tests. */
    MemorySegment block() {
        return block;
    }

    @Override
    public void close() {
        arena.close();
        int result = Libc.callInt(MUNMAP, state, PAGE_BYTES, 0, 0, 0);
        assert result == 0;
    }
}
