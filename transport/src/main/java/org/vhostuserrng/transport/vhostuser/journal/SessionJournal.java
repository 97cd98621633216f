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
import org.vhostuserrng.transport.vhostuser.inflight.ChecksummedWord;
import org.vhostuserrng.transport.virtio.VirtioDevice;

/**
 * The journal of one session: memory that outlives this process and contains a complete state at every instant. It has
 * two copies of the state, and a switch that selects the valid one. {@link #commit} writes the invalid copy, then the
 * switch. The journal never contains random bytes or the state of a generator.
 *
 * <p>Layout of version 3, little-endian:
 *
 * <ul>
 *   <li>Page 0: u64 magic, u32 version, u16 kind of the session, u16 complement of the sum of version and kind;
 *       {@link ChecksummedWord} switch (0: no state, 1 or 2: the valid copy) at offset 24, ChecksummedWord number of
 *       attempts to continue the session at offset 32; {@link #deviceMemory} at offset 512; one
 *       {@link PackedVringJournal} of 64 bytes for each of four virtqueues at offset 1024.
 *   <li>1024 areas of 64 bytes for replies.
 *   <li>Two copies: u64 sequence number, u32 length, u32 CRC-32C of all other bytes of the copy and of the area of its
 *       reply, the state.
 * </ul>
 *
 * <p>Version 2 has u32 kind, u32 switch and u32 attempts at offsets 12, 16 and 20, and its CRC does not include the
 * reply. {@link #open} changes it to version 3, which uses other offsets: the last store sets the version.
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
    private static final int VERSION_3 = 3;

    private static final int VERSION_2 = 2;

    private static final long MAGIC = 0;
    private static final long VERSION = 8;
    /** Version, kind and their check value. */
    private static final long VERSION_WORD_3 = version3Word();

    private static final long VERSION_WORD_2 = (long) KIND_VHOST_USER << Integer.SIZE | VERSION_2;
    private static final long SWITCH_2 = 16;
    private static final long ATTEMPTS_2 = 20;
    private static final long SWITCH = 24;
    private static final int SWITCH_TAG = 0x5357_4943;
    private static final long ATTEMPTS = 32;
    private static final int ATTEMPTS_TAG = 0x4154_544d;
    private static final long DEVICE_MEMORY = 512;
    private static final long PACKED_VRINGS = 1024;
    private static final int PACKED_VRING_BYTES = 64;
    private static final int MAX_VRINGS = 4;
    private static final long REPLIES = 4096;
    private static final int REPLY_AREA_BYTES = 64;
    /**
     * Number of areas for replies: more than the replies that fit in the socket (see
     * {@link UnixStreamSocket#limitSendBuffer}). sendfile(2) does not copy, so an area must not change until the
     * front-end has received its reply.
     */
    private static final int REPLY_AREAS = 1024;

    /** The file position, relative to the area, while a reply may or may not have been sent. No reply is as long. */
    private static final int BEING_SENT = REPLY_AREA_BYTES - 1;

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
        journal.bytes.set(U64, VERSION, VERSION_WORD_3);
        journal.setSwitch(0);
        journal.setAttempts(0);
        return journal;
    }

    private static long version3Word() {
        long check = ~(VERSION_3 + KIND_VHOST_USER) & 0xffffL;
        return check << 48 | (long) KIND_VHOST_USER << Integer.SIZE | VERSION_3;
    }

    /**
     * Opens a journal that another process wrote. Takes ownership of the descriptor.
     *
     * @throws InvalidJournalException if the file is not a journal of a vhost-user session, has an unknown version, or
     *     is damaged
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
            journal.checkVersion();
            journal.checkWords();
            return journal;
        } catch (IOException refused) {
            journal.close();
            throw refused instanceof InvalidJournalException invalid
                    ? invalid
                    : new InvalidJournalException("journal: " + refused.getMessage());
        }
    }

    private void checkVersion() throws InvalidJournalException, ErrnoException {
        require(bytes.get(U64, MAGIC) == MAGIC_NUMBER, "it does not begin with the magic number");
        int version = bytes.get(U32, VERSION);
        require(
                version == VERSION_2 || version == VERSION_3,
                "version " + Integer.toUnsignedString(version) + ", expected " + VERSION_3
                        + "; another release of this program wrote it, or it is damaged");
        long word = bytes.get(U64, VERSION);
        if (word == VERSION_WORD_2) {
            upgradeFromVersion2();
            return;
        }
        require(
                word == VERSION_WORD_3,
                "another kind of session, or it is damaged: version word 0x" + Long.toHexString(word));
    }

    /**
     * Writes the fields that version 3 has at other offsets than version 2. If the process ends before the last store,
     * the next process repeats the upgrade.
     */
    private void upgradeFromVersion2() throws InvalidJournalException, ErrnoException {
        int current = bytes.get(U32, SWITCH_2);
        require(current >= 0 && current <= 2, "switch " + Integer.toUnsignedString(current));
        setSwitch(current);
        setAttempts(bytes.get(U32, ATTEMPTS_2));
        for (int i = 0; i < MAX_VRINGS; i++) {
            packedVring(i).upgradeFromVersion2();
        }
        if (current != 0) {
            MemorySegment copy = copy(current);
            int length = length(copy);
            require(copy.get(U32, CHECKSUM) == checksum(copy, length, false), "wrong checksum");
            if (memory.position() == replyArea(sequence())) {
                // Version 2 does not tell whether a reply with a descriptor was being sent.
                replyBeginsToBeSent();
            }
            commit(copy.asSlice(HEADER_BYTES, length).toArray(ValueLayout.JAVA_BYTE), sequence());
        }
        VarHandle.releaseFence();
        bytes.set(U64, VERSION, VERSION_WORD_3);
        VarHandle.releaseFence();
    }

    private void checkWords() throws InvalidJournalException {
        long current = bytes.get(U64, SWITCH);
        require(
                ChecksummedWord.isValid(current, SWITCH_TAG)
                        && ChecksummedWord.value(current) >= 0
                        && ChecksummedWord.value(current) <= 2,
                "damaged switch 0x" + Long.toHexString(current));
        long attempts = bytes.get(U64, ATTEMPTS);
        require(
                ChecksummedWord.isValid(attempts, ATTEMPTS_TAG),
                "damaged number of attempts 0x" + Long.toHexString(attempts));
        for (int i = 0; i < MAX_VRINGS; i++) {
            require(packedVring(i).isIntact(), "damaged position of virtqueue " + i);
        }
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
        int current = current();
        require(current != 0, "no state");
        MemorySegment copy = copy(current);
        int length = length(copy);
        require(copy.get(U32, CHECKSUM) == checksum(copy, length, true), "wrong checksum");
        return copy.asSlice(HEADER_BYTES, length).toArray(ValueLayout.JAVA_BYTE);
    }

    private static int length(MemorySegment copy) throws InvalidJournalException {
        int length = copy.get(U32, LENGTH);
        require(length >= 0 && length <= COPY_BYTES - HEADER_BYTES, "length " + Integer.toUnsignedString(length));
        return length;
    }

    /** Replaces the state. If the process ends meanwhile, the journal contains the old or the new state. */
    public void commit(byte[] state) {
        if (state.length > COPY_BYTES - HEADER_BYTES) {
            throw new IllegalArgumentException("state of " + state.length + " bytes");
        }
        commit(state, sequence() + 1);
    }

    private void commit(byte[] state, long sequence) {
        int next = current() == 1 ? 2 : 1;
        MemorySegment copy = copy(next);
        copy.set(U64, SEQUENCE, sequence);
        copy.set(U32, LENGTH, state.length);
        MemorySegment.copy(state, 0, copy, ValueLayout.JAVA_BYTE, HEADER_BYTES, state.length);
        copy.set(U32, CHECKSUM, checksum(copy, state.length, true));
        VarHandle.releaseFence();
        setSwitch(next);
    }

    private int checksum(MemorySegment copy, int length, boolean withReply) {
        CRC32C checksum = new CRC32C();
        checksum.update(copy.asSlice(0, CHECKSUM).asByteBuffer());
        checksum.update(copy.asSlice(HEADER_BYTES, length).asByteBuffer());
        if (withReply) {
            long area = replyArea(copy.get(U64, SEQUENCE));
            checksum.update(bytes.asSlice(area, REPLY_AREA_BYTES).asByteBuffer());
        }
        return (int) checksum.getValue();
    }

    /** The number of commits so far. */
    public long sequence() {
        int current = current();
        return current == 0 ? 0 : copy(current).get(U64, SEQUENCE);
    }

    /** The number of the valid copy; 0 if no state was committed. */
    private int current() {
        return ChecksummedWord.value(bytes.get(U64, SWITCH));
    }

    private void setSwitch(int copy) {
        bytes.set(U64, SWITCH, ChecksummedWord.of(copy, SWITCH_TAG));
        VarHandle.releaseFence();
    }

    private MemorySegment copy(int number) {
        return bytes.asSlice(COPIES + (number - 1L) * COPY_BYTES, COPY_BYTES);
    }

    /** The number of attempts to continue the session during which a process ended. */
    public int attempts() {
        return ChecksummedWord.value(bytes.get(U64, ATTEMPTS));
    }

    /** Sets the number of {@link #attempts}. */
    public void setAttempts(int attempts) {
        bytes.set(U64, ATTEMPTS, ChecksummedWord.of(attempts, ATTEMPTS_TAG));
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
        if (sent == BEING_SENT) {
            return length;
        }
        return sent >= 0 && sent < length ? (int) (length - sent) : 0;
    }

    /**
     * Sends up to {@code count} bytes of the reply of the last commit. Returns the result of
     * {@link FdStoreMemory#send}.
     */
    public int sendReply(UnixStreamSocket receiver, int count) {
        return memory.send(receiver, count);
    }

    /**
     * Records that the reply of the last commit is about to be sent without {@link #sendReply}. Until
     * {@link #replySent}, the next process cannot tell from the journal whether it was sent.
     */
    public void replyBeginsToBeSent() throws ErrnoException {
        memory.seek(replyArea(sequence()) + BEING_SENT);
    }

    /**
     * Records how much of the reply of the last commit was sent without {@link #sendReply}.
     *
     * @param sent the number of bytes that were sent
     */
    public void replySent(int sent) throws ErrnoException {
        memory.seek(replyArea(sequence()) + sent);
    }

    /** Returns whether a process has ended between {@link #replyBeginsToBeSent} and {@link #replySent}. */
    public boolean isReplyBeingSent() throws ErrnoException {
        return memory.position() == replyArea(sequence()) + BEING_SENT;
    }

    private static long replyArea(long sequence) {
        // Unsigned, because a damaged sequence number must not lead out of the memory before its checksum is checked.
        return REPLIES + Long.remainderUnsigned(sequence, REPLY_AREAS) * REPLY_AREA_BYTES;
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
