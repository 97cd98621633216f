package org.vhostuserrng.backends.sys;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Reads the generation of the kernel's generator: a number that the kernel increments whenever it reseeds the
 * generator. It reseeds once a minute, and when the hypervisor reports by VMGENID that the virtual machine was cloned
 * or restored. Reading the generation makes no system call. Confined to the thread that opened it. Cannot be closed.
 */
public final class KernelRngGeneration {
    /** Returned by {@link #read} if the generation cannot be read on this kernel. */
    public static final long UNKNOWN = 0;

    /**
     * The state of the vDSO function is opaque. In all kernels so far, it is struct vgetrandom_state of Linux
     * include/vdso/getrandom.h: a key and a buffer of together 128 bytes, then {@code u64 generation}. If the state has
     * another size, the generation is unknown.
     */
    private static final int KNOWN_STATE_BYTES = 144;

    private static final long GENERATION_OFFSET = 128;

    /** The vDSO function; null if this kernel has none, or one whose state has another size. */
    private final VdsoGetrandom vdso;

    private final MemorySegment state;
    private final MemorySegment discarded = Arena.ofAuto().allocate(1);

    private KernelRngGeneration(VdsoGetrandom vdso, MemorySegment state) {
        this.vdso = vdso;
        this.state = state;
    }

    /** Creates a reader. On an unsuitable kernel, {@link #read} returns {@link #UNKNOWN}. */
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

    /** Returns the current generation, or {@link #UNKNOWN}. */
    public long read() {
        if (vdso == null) {
            return UNKNOWN;
        }
        // Each call of the vDSO function updates its state. The shortest call returns one byte, which is not used.
        int got = vdso.fillPrivate(discarded, 0, 1);
        return got == 1 ? state.get(ValueLayout.JAVA_LONG, GENERATION_OFFSET) : UNKNOWN;
    }
}
