package org.vhostuserrng.transport.vhostuser.inflight;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vhostuserrng.transport.virtio.VirtioConstants;

class PackedUsedPositionRecordTest {
    private static final int SIZE = 4;
    private static final int WRAP = VirtioConstants.PACKED_WRAP_COUNTER;
    private static final int AVAIL = VirtioConstants.VIRTQ_DESC_F_AVAIL;
    private static final int USED = VirtioConstants.VIRTQ_DESC_F_USED;

    private final MemorySegment bytes = Arena.ofAuto().allocate(Long.BYTES, Long.BYTES);
    private final MemorySegment ring =
            Arena.ofAuto().allocate((long) SIZE * VirtioConstants.DESCRIPTOR_BYTES, VirtioConstants.DESCRIPTOR_BYTES);

    /**
     * Simulates a process that ends while it publishes a used descriptor.
     *
     * @param before the position of the descriptor
     * @param after the position after its chain
     * @param flags the flags of the descriptor in the ring when the process ends
     */
    private void endWhilePublishing(int before, int after, int flags) {
        PackedUsedPositionRecord record = new PackedUsedPositionRecord(bytes, false);
        record.open(ring, SIZE, before);
        record.publishing(after);
        long index = before & VirtioConstants.PACKED_INDEX_MASK;
        ring.set(
                ValueLayout.JAVA_SHORT,
                index * VirtioConstants.DESCRIPTOR_BYTES + VirtioConstants.PVIRTQ_DESC_FLAGS,
                (short) flags);
    }

    private int positionOfSuccessor() {
        return new PackedUsedPositionRecord(bytes, true).open(ring, SIZE, 0);
    }

    @Test
    void newRecordBeginsAtTheGivenPosition() {
        int position = new PackedUsedPositionRecord(bytes, false).open(ring, SIZE, 2 | WRAP);

        assertEquals(2 | WRAP, position);
    }

    @Test
    void positionIsUnchangedIfNothingWasPublished() {
        new PackedUsedPositionRecord(bytes, false).open(ring, SIZE, 3);

        assertEquals(3, positionOfSuccessor());
    }

    @Test
    void descriptorThatIsStillAvailableWasNotPublished() {
        endWhilePublishing(1 | WRAP, 2 | WRAP, AVAIL);

        assertEquals(1 | WRAP, positionOfSuccessor());
    }

    @Test
    void descriptorThatIsStillAvailableInASecondRoundWasNotPublished() {
        endWhilePublishing(3, WRAP, USED);

        assertEquals(3, positionOfSuccessor());
    }

    @Test
    void usedDescriptorWasPublished() {
        endWhilePublishing(2 | WRAP, 1, AVAIL | USED);

        assertEquals(1, positionOfSuccessor());
    }

    @Test
    void descriptorThatTheDriverHasMadeAvailableAgainWasPublished() {
        endWhilePublishing(1 | WRAP, 3 | WRAP, USED);

        assertEquals(3 | WRAP, positionOfSuccessor());
    }

    @Test
    void successorOfASuccessorContinuesAtTheSamePosition() {
        endWhilePublishing(1 | WRAP, 3 | WRAP, AVAIL | USED);
        positionOfSuccessor();

        assertEquals(3 | WRAP, positionOfSuccessor());
    }

    @ParameterizedTest
    @ValueSource(longs = {-1, SIZE, 0x7fff_7fffL})
    void recordOfALargerVirtqueueDoesNotReadBeyondTheRing(long recorded) {
        bytes.set(ValueLayout.JAVA_LONG, 0, recorded);

        assertEquals((int) recorded & 0xffff, positionOfSuccessor());
    }
}
