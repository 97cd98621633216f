package org.vhostuserrng.transport.vhostuser.session;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vhostuserrng.libc.ErrnoException;
import org.vhostuserrng.libc.Libc;
import org.vhostuserrng.libc.OwnedFd;
import org.vhostuserrng.transport.sys.MemoryMapping;
import org.vhostuserrng.transport.sys.SealedMemfd;
import org.vhostuserrng.transport.vhostuser.inflight.InflightRegion;
import org.vhostuserrng.transport.vhostuser.protocol.FrontendRequest.Inflight;
import org.vhostuserrng.transport.vhostuser.protocol.ProtocolViolationException;
import org.vhostuserrng.transport.virtio.VirtioConstants;

/** Tests the inflight buffer (vhost-user, "Inflight I/O tracking") of a device with two virtqueues. */
class InflightBufferTest {
    private static final int QUEUES = 2;
    private static final long SPLIT = 0;
    private static final long PACKED = VirtioConstants.VIRTIO_F_RING_PACKED;
    private static final long MAX_BYTES = 1L << 30;
    private static final MemorySegment MEMFD_CREATE = Libc.symbol("memfd_create");
    private static final MemorySegment FTRUNCATE = Libc.symbol("ftruncate");

    private final InflightBuffer buffer = new InflightBuffer(QUEUES);

    @AfterEach
    void close() {
        buffer.close();
    }

    private static Inflight described(long size, long offset, int queues, int queueSize) {
        return new Inflight(size, offset, queues, queueSize, 24);
    }

    private static Inflight wanted(int queues, int queueSize) {
        return described(0, 0, queues, queueSize);
    }

    /** Sets the buffer as SET_INFLIGHT_FD does. */
    private void set(Inflight given, OwnedFd file, boolean sealedOnly) throws IOException, ProtocolViolationException {
        buffer.requireValid(given);
        buffer.set(given, MemoryMapping.adopt(file, given.mmapOffset(), given.mmapSize()), sealedOnly);
    }

    /** Uses a file of zeros as the buffer. */
    private void set(long size, long offset, int queues, int queueSize) throws ProtocolViolationException, IOException {
        OwnedFd file = SealedMemfd.create("inflight", offset + size);
        set(described(size, offset, queues, queueSize), file, false);
    }

    /** Creates a memfd that cannot be sealed, so that a peer can truncate it at any time. */
    private static OwnedFd unsealed(long size) throws ErrnoException {
        long name = Arena.ofAuto().allocateFrom("unsealed").address();
        OwnedFd file = new OwnedFd(ErrnoException.check("memfd", Libc.callInt(MEMFD_CREATE, name, 0, 0, 0, 0)));
        ErrnoException.check("ftruncate", Libc.callInt(FTRUNCATE, file.number(), size, 0, 0, 0));
        return file;
    }

    // --- create ----------------------------------------------------------------------------------------------------

    /**
     * The region of each queue has a header and an entry per descriptor, of 16 bytes each (split) or 32 bytes each
     * (packed), and is padded to a multiple of 64 bytes.
     */
    @ParameterizedTest
    @CsvSource({
        "0, 1, 3, 64",
        "0, 1, 4, 128",
        "0, 2, 3, 128",
        "0, 1, 32768, 524352",
        "17179869184, 1, 1, 64",
        "17179869184, 2, 2, 256"
    })
    void createsAFileWithARegionForEachQueue(long features, int queues, int queueSize, long size)
            throws ProtocolViolationException, IOException {
        InflightBuffer.Offer offer = buffer.create(wanted(queues, queueSize), features);

        assertEquals(described(size, 0, queues, queueSize), offer.description());
        set(offer.description(), offer.file(), true);
        assertEquals(offer.description(), buffer.description());
    }

    @Test
    void createdBufferIsNotUsedUntilItIsSet() throws ProtocolViolationException {
        buffer.create(wanted(1, 8), SPLIT).file().close();

        assertNull(buffer.description());
        assertNull(buffer.region(0, SPLIT));
    }

    @ParameterizedTest
    @CsvSource({"1, 1, true", "2, 32768, true", "0, 8, false", "3, 8, false", "1, 0, false", "1, 32769, false"})
    void numberAndSizeOfQueuesMustBeThoseOfADevice(int queues, int queueSize, boolean accepted)
            throws ProtocolViolationException, IOException {
        if (accepted) {
            buffer.create(wanted(queues, queueSize), SPLIT).file().close();
            set(4096, 0, queues, queueSize);
        } else {
            assertThrows(ProtocolViolationException.class, () -> buffer.create(wanted(queues, queueSize), SPLIT));
            assertThrows(ProtocolViolationException.class, () -> set(4096, 0, queues, queueSize));
        }
    }

    // --- set -------------------------------------------------------------------------------------------------------

    @ParameterizedTest
    @CsvSource({"0, true", "64, true", "63, false", "65, false", "32, false"})
    void offsetMustBeAMultipleOf64(long offset, boolean accepted) throws ProtocolViolationException, IOException {
        if (accepted) {
            set(4096, offset, 1, 8);
        } else {
            assertThrows(ProtocolViolationException.class, () -> set(4096, offset, 1, 8));
        }
    }

    @Test
    void bufferHasAtMostOneGibibyte() throws ProtocolViolationException, IOException {
        set(MAX_BYTES, 0, 1, 8);

        assertThrows(ProtocolViolationException.class, () -> set(MAX_BYTES + 64, 0, 1, 8));
        assertEquals(MAX_BYTES, buffer.description().mmapSize());
    }

    @Test
    void closesTheFile() throws ProtocolViolationException, IOException {
        OwnedFd file = SealedMemfd.create("inflight", 4096);

        set(described(4096, 0, 1, 8), file, false);

        assertThrows(IllegalStateException.class, file::number);
    }

    @Test
    void refusesAFileThatIsTooShort() throws ErrnoException {
        OwnedFd file = SealedMemfd.create("inflight", 4095);

        assertThrows(IOException.class, () -> set(described(4096, 0, 1, 8), file, false));
        assertNull(buffer.description());
    }

    @Test
    void refusesAFileThatCannotBeSealedIfTheOperatorRequiresIt() throws ProtocolViolationException, IOException {
        OwnedFd refused = unsealed(4096);

        assertThrows(ProtocolViolationException.class, () -> set(described(4096, 0, 1, 8), refused, true));
        assertNull(buffer.description());
        set(described(4096, 0, 1, 8), unsealed(4096), false);
        assertNotNull(buffer.description());
    }

    @Test
    void unmapsTheBufferThatItReplaces() throws ProtocolViolationException, IOException {
        set(4096, 0, 1, 8);
        MemorySegment first = buffer.region(0, SPLIT).bytes();

        set(8192, 0, 1, 8);

        assertFalse(first.scope().isAlive());
        assertEquals(8192, buffer.description().mmapSize());
    }

    @Test
    void hasNoBufferAfterClose() throws ProtocolViolationException, IOException {
        set(4096, 0, 1, 8);
        MemorySegment region = buffer.region(0, SPLIT).bytes();

        buffer.close();

        assertFalse(region.scope().isAlive());
        assertNull(buffer.description());
        assertNull(buffer.region(0, SPLIT));
    }

    // --- regions ---------------------------------------------------------------------------------------------------

    @Test
    void regionsFollowEachOther() throws ProtocolViolationException, IOException {
        set(4096, 0, 2, 4);

        InflightRegion first = buffer.region(0, SPLIT);
        InflightRegion second = buffer.region(1, SPLIT);

        assertEquals(4, first.queueSize());
        assertEquals(128, first.bytes().byteSize());
        assertEquals(128, second.bytes().byteSize());
        assertEquals(first.bytes().address() + 128, second.bytes().address());
    }

    @Test
    void sizeOfARegionDependsOnTheFormatOfItsQueue() throws ProtocolViolationException, IOException {
        set(4096, 0, 2, 4);

        assertEquals(192, buffer.region(0, PACKED).bytes().byteSize());
    }

    @Test
    void queueThatTheBufferDoesNotCoverHasNoRegion() throws ProtocolViolationException, IOException {
        set(4096, 0, 1, 4);

        assertNotNull(buffer.region(0, SPLIT));
        assertNull(buffer.region(1, SPLIT));
    }

    @Test
    void lastRegionMayEndWithTheBuffer() throws ProtocolViolationException, IOException {
        set(256, 0, 2, 4);

        assertEquals(128, buffer.region(1, SPLIT).bytes().byteSize());
    }

    @Test
    void refusesARegionBeyondTheEndOfTheBuffer() throws ProtocolViolationException, IOException {
        set(255, 0, 2, 4);

        assertNotNull(buffer.region(0, SPLIT));
        assertThrows(ProtocolViolationException.class, () -> buffer.region(1, SPLIT));
    }

    // --- clear -----------------------------------------------------------------------------------------------------

    @Test
    void clearZeroesTheRegionsOnly() throws ProtocolViolationException, IOException {
        OwnedFd file = SealedMemfd.create("inflight", 4096);
        OwnedFd same = new OwnedFd(Libc.callInt(Libc.symbol("dup"), file.number(), 0, 0, 0, 0));
        set(described(4096, 0, 2, 4), file, false);
        try (MemoryMapping view = mapped(same)) {
            view.segment().fill((byte) 0x5a);

            buffer.clear(SPLIT);

            assertEquals(256, view.segment().mismatch(zeros(4096)));
        }
    }

    @Test
    void clearZeroesTheWholeOfABufferThatIsTooShort() throws ProtocolViolationException, IOException {
        set(100, 0, 2, 4);

        buffer.clear(SPLIT);

        assertNotNull(buffer.description());
    }

    @Test
    void clearDoesNothingWithoutABuffer() {
        buffer.clear(SPLIT);

        assertNull(buffer.description());
    }

    @Test
    void bufferThatHasVanishedIsGivenUpWhenCleared() throws ProtocolViolationException, IOException {
        OwnedFd file = unsealed(4096);
        OwnedFd same = new OwnedFd(Libc.callInt(Libc.symbol("dup"), file.number(), 0, 0, 0, 0));
        set(described(4096, 0, 1, 8), file, false);
        assertEquals(0, Libc.callInt(FTRUNCATE, same.number(), 0, 0, 0, 0));

        buffer.clear(SPLIT);

        same.close();
        assertNull(buffer.description());
    }

    private static MemoryMapping mapped(OwnedFd file) {
        try {
            return MemoryMapping.adopt(file, 0, 4096).open();
        } catch (IOException refused) {
            throw new AssertionError(refused);
        }
    }

    private static MemorySegment zeros(int length) {
        return MemorySegment.ofArray(new byte[length]);
    }
}
