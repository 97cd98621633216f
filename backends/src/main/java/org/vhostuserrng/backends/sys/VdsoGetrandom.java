package org.vhostuserrng.backends.sys;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Optional;

/**
 * getrandom(2) without entering the kernel, by the function that Linux 6.11 and later map into each process, vdso(7): a
 * quarter of the time for 64 bytes, half of it for many.
 *
 * <p>The function keeps a key in a page of this object's, and replaces it with each answer. It asks the kernel for a new one
 * once the kernel's generator has been seeded again, which happens at once to a virtual machine that was copied. The kernel
 * writes that page to no swap, gives it to no child, and may take it away, upon which the next answer has a new key.
 *
 * <p>Other than a system call, the function must not meet memory that has vanished, for it would be this process's fault: it
 * fills a block of this object's, from where the bytes are moved. Confined to the thread that opened it.
 */
public final class VdsoGetrandom implements AutoCloseable {
    /** Bytes of a move. A block and where it is moved to have room in the nearest cache of a processor. */
    static final int BLOCK_BYTES = 4096;

    private static final String VDSO = "linux-vdso.so.1";
    private static final MemorySegment DLOPEN = LibcCalls.symbol("dlopen");
    private static final MemorySegment DLSYM = LibcCalls.symbol("dlsym");
    private static final int RTLD_LAZY = 1;
    private static final int RTLD_NOLOAD = 4;

    private static final MemorySegment MMAP = LibcCalls.symbol("mmap");
    private static final MemorySegment MUNMAP = LibcCalls.symbol("munmap");
    private static final int PAGE_BYTES = 4096;

    // struct vgetrandom_opaque_params { u32 size_of_opaque_state, mmap_prot, mmap_flags, reserved[13]; };
    private static final int PARAMS_BYTES = 64;
    private static final long STATE_BYTES = 0;
    private static final long MMAP_PROT = 4;
    private static final long MMAP_FLAGS = 8;
    /** In place of a state's length: asks for the parameters. */
    private static final long FOR_PARAMS = -1;

    private static final MemorySegment FUNCTION = function();

    private final Arena arena = Arena.ofConfined();
    private final MemorySegment block = arena.allocate(BLOCK_BYTES, Long.BYTES);
    private final long state;
    private final int stateBytes;

    private VdsoGetrandom(long state, int stateBytes) {
        this.state = state;
        this.stateBytes = stateBytes;
    }

    /** Nothing where the kernel has no such function, or no memory for its state. */
    public static Optional<VdsoGetrandom> open() {
        if (FUNCTION.address() == 0) {
            return Optional.empty();
        }
        try (Arena scratch = Arena.ofConfined()) {
            MemorySegment params = scratch.allocate(PARAMS_BYTES, Integer.BYTES);
            long outcome = LibcCalls.callRaw(FUNCTION, 0, 0, 0, params.address(), FOR_PARAMS);
            int stateBytes = params.get(ValueLayout.JAVA_INT, STATE_BYTES);
            if (outcome != 0 || stateBytes < 1 || stateBytes > PAGE_BYTES) {
                return Optional.empty();
            }
            int protection = params.get(ValueLayout.JAVA_INT, MMAP_PROT);
            int flags = params.get(ValueLayout.JAVA_INT, MMAP_FLAGS);
            long page = LibcCalls.callLong(MMAP, 0, PAGE_BYTES, protection, flags, -1);
            return page < 0 ? Optional.empty() : Optional.of(new VdsoGetrandom(page, stateBytes));
        }
    }

    /** Where the function is, or null's address. */
    private static MemorySegment function() {
        String name = System.getProperty("os.arch").equals("amd64") ? "__vdso_getrandom" : "__kernel_getrandom";
        try (Arena scratch = Arena.ofConfined()) {
            long path = scratch.allocateFrom(VDSO).address();
            long vdso = LibcCalls.callRaw(DLOPEN, path, RTLD_LAZY | RTLD_NOLOAD, 0, 0, 0);
            long symbol = scratch.allocateFrom(name).address();
            return MemorySegment.ofAddress(vdso == 0 ? 0 : LibcCalls.callRaw(DLSYM, vdso, symbol, 0, 0, 0));
        }
    }

    /**
     * Fills {@code target} from {@code offset} on.
     *
     * @return bytes written, 1 to {@code length}, or {@link GetrandomSyscall#EAGAIN} or another negated errno
     * @throws InternalError if the memory to fill has vanished
     */
    public int fill(MemorySegment target, long offset, int length) {
        int filled = 0;
        while (filled < length) {
            int made = make(Math.min(length - filled, BLOCK_BYTES));
            if (made <= 0) {
                return filled > 0 ? filled : made;
            }
            WipingCopy.move(block, 0, target, offset + filled, made);
            filled += made;
        }
        return filled;
    }

    private int make(int length) {
        long to = EntropyFile.address(block, 0, length);
        return (int) LibcCalls.callRaw(FUNCTION, to, length, GetrandomSyscall.GRND_NONBLOCK, state, stateBytes);
    }

    /** Where the bytes are before they are moved. */
    MemorySegment block() {
        return block;
    }

    @Override
    public void close() {
        arena.close();
        int outcome = LibcCalls.callInt(MUNMAP, state, PAGE_BYTES, 0, 0, 0);
        assert outcome == 0;
    }
}
