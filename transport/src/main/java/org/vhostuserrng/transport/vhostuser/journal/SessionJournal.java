package org.vhostuserrng.transport.vhostuser.journal;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.zip.CRC32C;
import org.vhostuserrng.libc.ErrnoException;
import org.vhostuserrng.libc.OwnedFd;
import org.vhostuserrng.transport.sys.FdStoreMemory;
import org.vhostuserrng.transport.sys.UnixStreamSocket;
import org.vhostuserrng.transport.virtio.VirtioDevice;

/**
 * The journal of one session: memory that outlives this process and contains a complete state at every instant. It has
 * two copies of the state, and a switch that selects the valid one. {@link #commit} writes the invalid copy, then the
 * switch. The journal never contains random bytes or the state of a generator.
 *
 * <p>Layout, little-endian:
 *
 * <ul>
 *   <li>Page 0: u64 magic, u32 version, u32 kind of the session, u32 switch (0: no state, 1 or 2: the valid copy), u32
 *       number of attempts to continue the session; {@link #deviceMemory} at offset 512; one {@link PackedVringJournal}
 *       of 64 bytes for each of four virtqueues at offset 1024.
 *   <li>1024 areas of 64 bytes for replies.
 *   <li>Two copies: u64 sequence number, u32 length, u32 CRC-32C of all other bytes of the copy, the state.
 * </ul>
 */
public final class SessionJournal implements AutoCloseable {
    /** The kind of a vhost-user session. */
    public static final int KIND_VHOST_USER = 1;

    /** The value of a descriptor's ID if there is no descriptor. */
    public static final long NO_FD = 0;

    private static final ValueLayout.OfInt U32 = ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong U64 = ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** The bytes "vhurngjn" in little-endian order. */
    private static final long MAGIC_NUMBER = 0x6e6a676e72756876L;

    /** The version of the layout. Version 1 was never released. */
    private static final int VERSION_2 = 2;

    private static final long MAGIC = 0;
    private static final long VERSION = 8;
    private static final long KIND = 12;
    private static final long SWITCH = 16;
    private static final long ATTEMPTS = 20;
    private static final long DEVICE_MEMORY = 512;
    private static final long PACKED_VRINGS = 1024;
    private static final int PACKED_VRING_BYTES = 64;
    private static final long REPLIES = 4096;
    private static final int REPLY_AREA_BYTES = 64;
    /**
     * Number of areas for replies: more than the replies that fit in the socket (see
     * {@link UnixStreamSocket#limitSendBuffer}). sendfile(2) does not copy, so an area must not change until the
     * front-end has received its reply.
     */
    private static final int REPLY_AREAS = 1024;

    private static final long COPIES = REPLIES + REPLY_AREAS * REPLY_AREA_BYTES;
    /**
     * Maximum size of a copy. A state with the maximum number of IOTLB entries uses half of it. Pages that were never
     * written use no memory.
     */
    private static final int COPY_BYTES = 256 * 1024;

    private static final long SEQUENCE = 0;
    private static final long LENGTH = 8;
    private static final long CHECKSUM = 12;
    private static final int HEADER_BYTES = 16;

    private static final long FILE_BYTES = COPIES + 2 * COPY_BYTES;

    private static final int DEVICE_MEMORY_BYTES = VirtioDevice.PERSISTED_BYTES;

    private final FdStoreMemory memory;
    private final MemorySegment bytes;

    private SessionJournal(FdStoreMemory memory) {
        this.memory = memory;
        this.bytes = memory.segment();
    }

    /** Creates the journal of a new session. */
    public static SessionJournal create() throws IOException {
        SessionJournal journal = new SessionJournal(FdStoreMemory.create("vhost-user-rng journal", FILE_BYTES));
        journal.bytes.set(U64, MAGIC, MAGIC_NUMBER);
        journal.bytes.set(U32, VERSION, VERSION_2);
        journal.bytes.set(U32, KIND, KIND_VHOST_USER);
        return journal;
    }

    /**
     * Opens a journal that another process wrote. Takes ownership of the descriptor.
     *
     * @throws InvalidJournalException if the file is not a journal of a vhost-user session, or has another version
     */
    public static SessionJournal open(OwnedFd file) throws InvalidJournalException {
        FdStoreMemory memory;
        try {
            memory = FdStoreMemory.map(file, FILE_BYTES);
        } catch (IOException refused) {
            throw new InvalidJournalException("journal: " + refused.getMessage());
        }
        SessionJournal journal = new SessionJournal(memory);
        try {
            journal.checkHeader();
            return journal;
        } catch (InvalidJournalException refused) {
            journal.close();
            throw refused;
        }
    }

    private void checkHeader() throws InvalidJournalException {
        require(bytes.get(U64, MAGIC) == MAGIC_NUMBER, "it does not begin with the magic number");
        int version = bytes.get(U32, VERSION);
        require(
                version == VERSION_2,
                "version " + Integer.toUnsignedString(version) + ", expected " + VERSION_2
                        + "; another release of this program wrote it");
        int kind = bytes.get(U32, KIND);
        require(kind == KIND_VHOST_USER, "session of kind " + Integer.toUnsignedString(kind));
        int current = bytes.get(U32, SWITCH);
        require(current >= 0 && current <= 2, "switch " + Integer.toUnsignedString(current));
    }

    private static void require(boolean condition, String fault) throws InvalidJournalException {
        if (!condition) {
            throw new InvalidJournalException("journal: " + fault);
        }
    }

    /**
     * Returns the last committed state.
     *
     * @throws InvalidJournalException if no state was committed, or if it is damaged
     */
    public byte[] state() throws InvalidJournalException {
        int current = bytes.get(U32, SWITCH);
        require(current != 0, "no state");
        MemorySegment copy = copy(current);
        int length = copy.get(U32, LENGTH);
        require(length >= 0 && length <= COPY_BYTES - HEADER_BYTES, "length " + Integer.toUnsignedString(length));
        require(copy.get(U32, CHECKSUM) == checksum(copy, length), "wrong checksum");
        return copy.asSlice(HEADER_BYTES, length).toArray(ValueLayout.JAVA_BYTE);
    }

    /** Replaces the state. If the process ends meanwhile, the journal contains the old or the new state. */
    public void commit(byte[] state) {
        if (state.length > COPY_BYTES - HEADER_BYTES) {
            throw new IllegalArgumentException("state of " + state.length + " bytes");
        }
        long sequence = sequence() + 1;
        int next = bytes.get(U32, SWITCH) == 1 ? 2 : 1;
        MemorySegment copy = copy(next);
        copy.set(U64, SEQUENCE, sequence);
        copy.set(U32, LENGTH, state.length);
        MemorySegment.copy(state, 0, copy, ValueLayout.JAVA_BYTE, HEADER_BYTES, state.length);
        copy.set(U32, CHECKSUM, checksum(copy, state.length));
        VarHandle.releaseFence();
        bytes.set(U32, SWITCH, next);
        VarHandle.releaseFence();
    }

    private static int checksum(MemorySegment copy, int length) {
        CRC32C checksum = new CRC32C();
        checksum.update(copy.asSlice(0, CHECKSUM).asByteBuffer());
        checksum.update(copy.asSlice(HEADER_BYTES, length).asByteBuffer());
        return (int) checksum.getValue();
    }

    /** The number of commits so far. */
    public long sequence() {
        int current = bytes.get(U32, SWITCH);
        return current == 0 ? 0 : copy(current).get(U64, SEQUENCE);
    }

    private MemorySegment copy(int number) {
        return bytes.asSlice(COPIES + (number - 1L) * COPY_BYTES, COPY_BYTES);
    }

    /** The number of attempts to continue the session during which a process ended. */
    public int attempts() {
        return bytes.get(U32, ATTEMPTS);
    }

    /** Sets the number of {@link #attempts}. */
    public void setAttempts(int attempts) {
        bytes.set(U32, ATTEMPTS, attempts);
        VarHandle.releaseFence();
    }

    /** The memory for {@link VirtioDevice#persistIn}, all zeros in a new journal. */
    public MemorySegment deviceMemory() {
        return bytes.asSlice(DEVICE_MEMORY, DEVICE_MEMORY_BYTES);
    }

    /** Returns the part of the journal for the packed vring with an index. */
    public PackedVringJournal packedVring(int index) {
        return new PackedVringJournal(
                bytes.asSlice(PACKED_VRINGS + (long) index * PACKED_VRING_BYTES, PACKED_VRING_BYTES));
    }

    // --- replies ---------------------------------------------------------------------------------------------------

    /**
     * Writes the reply that {@link #sendReply} sends after the next {@link #commit}. Successive replies use different
     * areas, so that the file position shows to which reply it belongs.
     */
    public void stageReply(MemorySegment reply) throws ErrnoException {
        long area = replyArea(sequence() + 1);
        bytes.asSlice(area, reply.byteSize()).copyFrom(reply);
        memory.seek(area);
    }

    /**
     * Returns the reply of the last commit.
     *
     * @param length the length of the reply in bytes
     */
    public MemorySegment reply(int length) {
        return bytes.asSlice(replyArea(sequence()), length);
    }

    /**
     * Returns the number of unsent bytes of the reply of the last commit.
     *
     * @param length the length of the reply in bytes
     */
    public int unsentReplyBytes(int length) throws ErrnoException {
        long sent = memory.position() - replyArea(sequence());
        return sent >= 0 && sent < length ? (int) (length - sent) : 0;
    }

    /**
     * Sends up to {@code count} bytes of the reply of the last commit. Returns the result of
     * {@link FdStoreMemory#send}.
     */
    public int sendReply(UnixStreamSocket receiver, int count) {
        return memory.send(receiver, count);
    }

    /** Records that the whole reply of the last commit was sent without {@link #sendReply}. */
    public void replySent(int length) throws ErrnoException {
        memory.seek(replyArea(sequence()) + length);
    }

    private static long replyArea(long sequence) {
        return REPLIES + sequence % REPLY_AREAS * REPLY_AREA_BYTES;
    }

    /** The descriptor, to add to an FdQueueSocket. This object remains the owner. */
    public OwnedFd fd() {
        return memory.fd();
    }

    @Override
    public void close() {
        memory.close();
    }
}
