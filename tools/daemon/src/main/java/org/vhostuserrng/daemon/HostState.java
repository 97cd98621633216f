package org.vhostuserrng.daemon;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vhostuserrng.backends.limiter.ChecksummedRecord;
import org.vhostuserrng.backends.limiter.DeficitRoundRobin;
import org.vhostuserrng.backends.source.FileReadPositions;
import org.vhostuserrng.transport.systemd.FdStoreClient;
import org.vhostuserrng.transport.systemd.ListenFds;

/**
 * State that outlives this process and belongs to no single guest: how much of the total rate limit is used, and the
 * read positions of files that are sources. It is in one memfd in the service manager's file descriptor store. It
 * contains no random bytes.
 *
 * <p>Layout of version 2: little-endian u64 magic, u32 version, u32 complement of the version; state of
 * {@link DeficitRoundRobin#persistIn} at offset 128, of {@link FileReadPositions#persistIn} at offset 4096, both with
 * check values. Version 1 has 0 after the version, and two words of a rate limit at offset 64. It is changed to version
 * 2, which uses other offsets: the last store sets the version.
 *
 * @param memory the mapped memfd; valid for any thread until the process exits
 * @param continued whether the memory contains the state of an earlier process
 */
record HostState(MemorySegment memory, boolean continued) {
    private static final Logger LOG = LoggerFactory.getLogger(HostState.class);
    private static final String FD_NAME = "host-state";

    private static final ValueLayout.OfInt U32 = ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong U64 = ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);
    /** "vhurnghs" */
    private static final long MAGIC_NUMBER = 0x7368676e72756876L;

    private static final int VERSION_2 = 2;
    private static final long VERSION_WORD_1 = 1;
    private static final long VERSION_WORD_2 = (long) ~VERSION_2 << Integer.SIZE | VERSION_2;
    private static final long MAGIC = 0;
    private static final long VERSION = 8;
    private static final long TOTAL_LIMIT_1 = 64;
    private static final int TOTAL_LIMIT_WORDS = 2;
    private static final long TOTAL_LIMIT = 128;
    private static final long FILE_POSITIONS = 4096;
    private static final long BYTES = FILE_POSITIONS + FileReadPositions.PERSISTED_BYTES;

    /** Returns whether a stored descriptor with this name is the memfd of the state. */
    static boolean isStored(String fdName) {
        return fdName.equals(FD_NAME);
    }

    /**
     * Opens the state that an earlier process stored, or stores a new one if it is needed. A state that cannot be read,
     * for example that of a newer release, stays in the store for that release.
     *
     * @param fdStore null if there is no file descriptor store
     * @param stored all stored descriptors; takes ownership of the state's descriptor
     * @param needed whether the daemon has a total rate limit or a file as a source
     * @return null if there is no state, or none that can be read
     */
    static HostState open(FdStoreClient fdStore, List<ListenFds.NamedFd> stored, boolean needed) throws IOException {
        for (ListenFds.NamedFd fd : stored) {
            if (isStored(fd.name())) {
                return read(fd.fd());
            }
        }
        return fdStore == null || !needed ? null : of(fdStore.addMemory(FD_NAME, BYTES));
    }

    private static HostState read(int fd) {
        try {
            return of(FdStoreClient.memory(fd, BYTES));
        } catch (IOException refused) {
            LOG.error(
                    "{} cannot be continued: {}. The total limit starts unused, files are read from their beginning",
                    FD_NAME,
                    refused.getMessage());
            return null;
        }
    }

    /** Returns the state in a mapped memfd. Memory that contains only zeros is new and is initialized. */
    static HostState of(MemorySegment memory) throws IOException {
        long magic = memory.get(U64, MAGIC);
        if (magic == 0) {
            memory.set(U64, VERSION, VERSION_WORD_2);
            VarHandle.releaseFence();
            memory.set(U64, MAGIC, MAGIC_NUMBER);
            return new HostState(memory, false);
        }
        if (magic != MAGIC_NUMBER) {
            throw new IOException("it does not begin with the magic number");
        }
        long version = memory.get(U64, VERSION);
        if (version == VERSION_WORD_1) {
            upgradeFromVersion1(memory);
        } else if (version != VERSION_WORD_2) {
            throw new IOException("version " + Integer.toUnsignedString(memory.get(U32, VERSION)) + ", expected "
                    + VERSION_2 + "; another release of this program wrote it, or it is damaged");
        }
        return new HostState(memory, true);
    }

    private static void upgradeFromVersion1(MemorySegment memory) {
        MemorySegment total = memory.asSlice(TOTAL_LIMIT, DeficitRoundRobin.PERSISTED_BYTES);
        total.fill((byte) 0);
        ChecksummedRecord record = new ChecksummedRecord(total, TOTAL_LIMIT_WORDS);
        long bytes = (long) TOTAL_LIMIT_WORDS * Long.BYTES;
        MemorySegment.copy(memory, TOTAL_LIMIT_1, record.begin(), ChecksummedRecord.WORDS, bytes);
        record.commit();
        FileReadPositions.upgradeFromVersion1(filePositions(memory));
        VarHandle.releaseFence();
        memory.set(U64, VERSION, VERSION_WORD_2);
    }

    private static MemorySegment filePositions(MemorySegment memory) {
        return memory.asSlice(FILE_POSITIONS, FileReadPositions.PERSISTED_BYTES);
    }

    /**
     * Restores the total rate limit and the read positions from the state, and lets their owners record further changes
     * in it. A damaged part begins anew.
     */
    void keep(DeficitRoundRobin scheduler, long now) {
        MemorySegment total = memory.asSlice(TOTAL_LIMIT, DeficitRoundRobin.PERSISTED_BYTES);
        if (!scheduler.persistIn(total, continued, now, System.nanoTime())) {
            LOG.error(
                    "{}: the usage of the total limit is damaged; it continues from an earlier one, or anew", FD_NAME);
        }
        int damaged = FileReadPositions.OF_PROCESS.persistIn(filePositions(memory));
        if (damaged > 0) {
            LOG.error("{}: {} read positions are damaged; these files are read from their beginning", FD_NAME, damaged);
        }
    }

    /** Removes the state from the store. Returns false if the service manager did not accept the message. */
    static boolean remove(FdStoreClient fdStore) throws IOException {
        return fdStore.remove(FD_NAME);
    }
}
