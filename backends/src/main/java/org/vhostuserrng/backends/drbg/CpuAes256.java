package org.vhostuserrng.backends.drbg;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.vhostuserrng.backends.sys.CpuAes;

/** The processor's AES: key and counter are in one place only, outside of the heap, and no call leaves garbage. */
final class CpuAes256 implements Aes256 {
    private final CpuAes instructions;
    private final MemorySegment state;

    CpuAes256(CpuAes instructions, Arena arena) {
        this.instructions = instructions;
        this.state = arena.allocate(CpuAes.STATE_BYTES, BLOCK_BYTES);
    }

    @Override
    public void key(MemorySegment from, long offset) {
        instructions.expand(from, offset, state);
    }

    @Override
    public void counter(MemorySegment from, long offset) {
        MemorySegment.copy(from, offset, state, CpuAes.COUNTER_OFFSET, BLOCK_BYTES);
    }

    @Override
    public void keystream(MemorySegment out, long offset, int blocks) {
        instructions.keystream(state, out, offset, blocks);
    }

    @Override
    public void chain(MemorySegment data, MemorySegment out, long offset) {
        MemorySegment value = state.asSlice(CpuAes.COUNTER_OFFSET, BLOCK_BYTES).fill((byte) 0);
        instructions.chain(state, data, 0, (int) (data.byteSize() / BLOCK_BYTES));
        MemorySegment.copy(value, 0, out, offset, BLOCK_BYTES);
    }

    @Override
    public void wipe() {
        state.fill((byte) 0);
    }

    /** Round keys and counter, in their place. */
    MemorySegment memory() {
        return state;
    }
}
