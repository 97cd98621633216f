package org.vhostuserrng.backends.sys;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Optional;
import org.vhostuserrng.libc.Libc;

/**
 * Calls getrandom(2) without a system call, through the vDSO function (vdso(7)) of Linux 6.11 and later. This takes a
 * third of the time of the system call for 64 bytes. For long requests, it is faster on some processors and slower on
 * others.
 *
 * <p>The function keeps a key in a page that this object owns, and replaces the key after each call. It fetches a new
 * key when the kernel's generator has been reseeded, which also happens when VMGENID reports that the virtual machine
 * was cloned. The kernel never swaps the page out, clears it in a forked child, and may drop it, after which the next
 * call uses a new key.
 *
 * <p>Unlike the system call, the function faults on unmapped memory, so it must not write to guest memory. Confined to
 * the thread that opened it.
 */
public final class VdsoGetrandom implements AutoCloseable {
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
    /** The value of opaque_len that queries the parameters. */
    private static final long QUERY_PARAMS = -1;

    private static final MemorySegment FUNCTION = findFunction();

    private final long state;
    private final int stateBytes;
    private boolean closed;

    private VdsoGetrandom(long state, int stateBytes) {
        this.state = state;
        this.stateBytes = stateBytes;
    }

    /** Returns whether the kernel has the function. */
    public static boolean isAvailable() {
        return FUNCTION.address() != 0;
    }

    /**
     * Allocates a state of the function. Returns empty if the kernel lacks the function, or has no memory for its
     * state.
     */
    public static Optional<VdsoGetrandom> open() {
        if (!isAvailable()) {
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

    /** Returns the function; address 0 if the kernel lacks it. */
    private static MemorySegment findFunction() {
        String name = System.getProperty("os.arch").equals("amd64") ? "__vdso_getrandom" : "__kernel_getrandom";
        try (Arena scratch = Arena.ofConfined()) {
            long path = scratch.allocateFrom(VDSO).address();
            long vdso = Libc.callRaw(DLOPEN, path, RTLD_LAZY | RTLD_NOLOAD, 0, 0, 0);
            long symbol = scratch.allocateFrom(name).address();
            return MemorySegment.ofAddress(vdso == 0 ? 0 : Libc.callRaw(DLSYM, vdso, symbol, 0, 0, 0));
        }
    }

    /**
     * Fills {@code target} at {@code offset} with random bytes.
     *
     * @param target memory of this process that is always mapped; must not be guest memory
     * @return {@code length}, {@link GetrandomSyscall#EAGAIN}, or another negated errno
     */
    public int fillPrivate(MemorySegment target, long offset, int length) {
        if (closed) {
            throw new IllegalStateException("closed");
        }
        long address = EntropyFile.address(target, offset, length);
        return (int) Libc.callRaw(FUNCTION, address, length, GetrandomSyscall.GRND_NONBLOCK, state, stateBytes);
    }

    /** The address of the function, for {@link RepeatedGetrandom}. */
    long function() {
        return FUNCTION.address();
    }

    /** The address of the state, valid until {@link #close}. */
    long state() {
        return state;
    }

    int stateBytes() {
        return stateBytes;
    }

    /** Releases the state. Must be called only once. */
    @Override
    public void close() {
        closed = true;
        int result = Libc.callInt(MUNMAP, state, PAGE_BYTES, 0, 0, 0);
        assert result == 0;
    }
}
