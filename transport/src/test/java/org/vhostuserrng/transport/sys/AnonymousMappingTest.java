package org.vhostuserrng.transport.sys;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;

class AnonymousMappingTest {
    private static final long SIZE = 1L << 36;

    @Test
    void containsZerosAndWhatWasWritten() throws IOException {
        try (AnonymousMapping memory =
                AnonymousMapping.create(SIZE, Runnable::run).open()) {
            memory.segment().set(ValueLayout.JAVA_BYTE, SIZE - 1, (byte) 7);

            assertEquals(SIZE, memory.segment().byteSize());
            assertEquals(0, memory.segment().get(ValueLayout.JAVA_BYTE, SIZE - 2));
            assertEquals(7, memory.segment().get(ValueLayout.JAVA_BYTE, SIZE - 1));
        }
    }

    @Test
    void containsZerosAfterItsPagesWereFreed() throws IOException {
        try (AnonymousMapping memory =
                AnonymousMapping.create(SIZE, Runnable::run).open()) {
            memory.segment().set(ValueLayout.JAVA_BYTE, 4096, (byte) 7);

            AnonymousMapping.freePages(memory.segment());

            assertEquals(0, memory.segment().get(ValueLayout.JAVA_BYTE, 4096));
        }
    }

    @Test
    void cannotBeAccessedAfterItWasClosed() throws IOException {
        AnonymousMapping memory = AnonymousMapping.create(4096, Runnable::run).open();
        MemorySegment segment = memory.segment();

        memory.close();

        assertThrows(IllegalStateException.class, () -> segment.get(ValueLayout.JAVA_BYTE, 0));
    }

    @Test
    void moreThanTheAddressSpaceIsRefused() {
        assertThrows(IOException.class, () -> AnonymousMapping.create(1L << 52, Runnable::run));
    }
}
