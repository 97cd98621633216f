package org.vhostuserrng.backends.sys;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The generation of the kernel's generator: a number that the kernel increments whenever it reseeds the generator. It
 * does so once a minute, and when the hypervisor reports by VMGENID that the virtual machine was cloned or restored.
 * Costs no system call. Confined to the thread that opened it, which may keep it open as long as the process runs.
 */
public final class KernelRngGeneration {
    /** Result of {@link #read}: this kernel does not tell. */
    public static final long UNKNOWN = 0;

    /**
     * The state of the vDSO function is opaque. In all kernels so far it is struct vgetrandom_state of Linux
     * include/vdso/getrandom.h: a key and a buffer of 128 bytes, then {@code u64 generation}. A kernel with a struct of
     * another size gets no answer from this class.
     */
    private static final int KNOWN_STATE_BYTES = 144;

    private static final long GENERATION_OFFSET = 128;

    /** Null if this kernel has no function, or one with another state. */
    private final VdsoGetrandom vdso;

    private final MemorySegment state;
    private final MemorySegment discarded = Arena.ofAuto().allocate(1);

    private KernelRngGeneration(VdsoGetrandom vdso, MemorySegment state) {
        this.vdso = vdso;
        this.state = state;
    }

    /** Opens it; without a suitable kernel, {@link #read} returns {@link #UNKNOWN}. */
    @SuppressWarnings("restricted")
    public static KernelRngGeneration open() {
        VdsoGetrandom vdso = VdsoGetrandom.open().orElse(null);
        if (vdso != null && vdso.stateBytes() != KNOWN_STATE_BYTES) {
            vdso.close();
            vdso = null;
        }
        MemorySegment state = vdso == null
                ? MemorySegment.NULL
                : MemorySegment.ofAddress(vdso.state()).reinterpret(KNOWN_STATE_BYTES);
        return new KernelRngGeneration(vdso, state);
    }

    /** The current generation, or {@link #UNKNOWN}. */
    public long read() {
        if (vdso == null) {
            return UNKNOWN;
        }
        // Each call updates the state. One byte is the shortest call; it is not used.
        int got = vdso.fillPrivate(discarded, 0, 1);
        return got == 1 ? state.get(ValueLayout.JAVA_LONG, GENERATION_OFFSET) : UNKNOWN;
    }
}
