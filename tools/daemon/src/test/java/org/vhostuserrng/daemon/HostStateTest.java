package org.vhostuserrng.daemon;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;
import org.vhostuserrng.backends.limiter.ChecksummedRecord;
import org.vhostuserrng.backends.limiter.DeficitRoundRobin;
import org.vhostuserrng.backends.source.FileReadPositions;

class HostStateTest {
    private static final long VERSION = 8;

    private final MemorySegment memory = MemorySegment.ofArray(new long[8]);

    @Test
    void newMemoryHasNoStateOfAnotherProcess() throws IOException {
        assertFalse(HostState.of(memory).continued());
    }

    @Test
    void nextProcessContinuesTheState() throws IOException {
        HostState.of(memory);

        assertTrue(HostState.of(memory).continued());
    }

    @Test
    void stateOfANewerReleaseIsRefusedWithBothVersions() throws IOException {
        HostState.of(memory);
        memory.set(ValueLayout.JAVA_INT, VERSION, 3);

        IOException refused = assertThrows(IOException.class, () -> HostState.of(memory));

        assertTrue(refused.getMessage().contains("version 3, expected 2"), refused::getMessage);
    }

    @Test
    void memoryOfAnotherKindIsRefused() {
        memory.fill((byte) 1);

        assertThrows(IOException.class, () -> HostState.of(memory));
    }

    @Test
    void flippedByteOfTheHeaderIsRefused() throws IOException {
        HostState.of(memory);
        byte[] intact = memory.toArray(ValueLayout.JAVA_BYTE);
        for (int offset = 0; offset < 16; offset++) {
            memory.copyFrom(MemorySegment.ofArray(intact));
            memory.set(ValueLayout.JAVA_BYTE, offset, (byte) (intact[offset] ^ 3));
            assertThrows(IOException.class, () -> HostState.of(memory), "byte " + offset);
        }
    }

    @Test
    void stateOfVersion1IsContinued() throws IOException {
        MemorySegment whole = MemorySegment.ofArray(new long[(4096 + FileReadPositions.PERSISTED_BYTES) / Long.BYTES]);
        whole.set(ValueLayout.JAVA_LONG, 0, 0x7368676e72756876L);
        whole.set(ValueLayout.JAVA_INT, VERSION, 1);
        whole.set(ValueLayout.JAVA_LONG, 64, 11);
        whole.set(ValueLayout.JAVA_LONG, 72, 22);

        HostState state = HostState.of(whole);
        ChecksummedRecord total = new ChecksummedRecord(whole.asSlice(128, DeficitRoundRobin.PERSISTED_BYTES), 2);

        assertTrue(state.continued());
        assertEquals(ChecksummedRecord.Content.INTACT, total.open());
        assertEquals(11, total.latest().get(ValueLayout.JAVA_LONG_UNALIGNED, ChecksummedRecord.WORDS));
        assertEquals(22, total.latest().get(ValueLayout.JAVA_LONG_UNALIGNED, ChecksummedRecord.WORDS + Long.BYTES));
    }
}
