package org.vhostuserrng.daemon;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;

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
        memory.set(ValueLayout.JAVA_INT, VERSION, 2);

        IOException refused = assertThrows(IOException.class, () -> HostState.of(memory));

        assertTrue(refused.getMessage().contains("version 2, expected 1"), refused::getMessage);
    }

    @Test
    void memoryOfAnotherKindIsRefused() {
        memory.fill((byte) 1);

        assertThrows(IOException.class, () -> HostState.of(memory));
    }
}
