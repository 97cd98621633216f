package org.vhostuserrng.backends.source;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.CRC32C;
import org.vhostuserrng.backends.sys.EntropyFile;
import org.vhostuserrng.backends.sys.EntropyFileStatus.Identity;

/**
 * The read positions of regular files. Each byte of a file is read only once, even if the file is closed, opened again,
 * renamed or used by another expression. A file that replaces another one at its path has its own position. Any thread.
 *
 * <p>{@link #persistIn} makes the positions outlive this process. A position is written after bytes were read, and
 * before they are returned: if the process ends meanwhile, the bytes are lost or are read by the next process, but are
 * never used twice.
 *
 * <p>Layout, native byte order: slots of 64 bytes, each with the {@link Identity} of a file (u64 device, u64 inode, u64
 * node, u64 seconds and u32 nanoseconds of birth), the u32 CRC-32C of the identity with bit 0 set (2 while the identity
 * is written), and at offset 48 the position in the low 48 bits of a u64, whose high 16 bits are its check value. Slots
 * are used from the first one on. Slots that were never used contain zeros. The positions of version 1 of the host's
 * state are at offset 40, without a check value.
 */
public final class FileReadPositions {
    /**
     * Maximum number of files. With more, the position of the least recently read file is lost, so that it is read from
     * its start again.
     */
    private static final int MAX_FILES = 4096;
    /** One slot more than files, because a new file gets its slot before the least recently read one loses its slot. */
    private static final int SLOTS = MAX_FILES + 1;

    private static final ValueLayout.OfInt U32 = ValueLayout.JAVA_INT;
    private static final ValueLayout.OfLong U64 = ValueLayout.JAVA_LONG;
    private static final long DEVICE = 0;
    private static final long INODE = 8;
    private static final long NODE = 16;
    private static final long BIRTH_SECONDS = 24;
    private static final long BIRTH_NANOS = 32;
    private static final long CHECKSUM = 36;
    private static final long POSITION_1 = 40;
    private static final long POSITION = 48;
    private static final int POSITION_BITS = 48;
    private static final long MAX_POSITION = (1L << POSITION_BITS) - 1;
    private static final int SLOT_BYTES = 64;
    /** The checksum while an identity is being written. */
    private static final int HALF_WRITTEN = 2;

    /** Size of the memory of {@link #persistIn} in bytes. */
    public static final int PERSISTED_BYTES = SLOTS * SLOT_BYTES;

    /** The instance that all expressions of this process share. */
    public static final FileReadPositions OF_PROCESS = new FileReadPositions();

    private final Map<Identity, Position> positions = new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Identity, Position> eldest) {
            if (size() <= MAX_FILES) {
                return false;
            }
            usedSlots.clear(eldest.getValue().slot);
            return true;
        }
    };

    private final BitSet usedSlots = new BitSet();
    /** The memory of {@link #persistIn}; null if the positions do not outlive this process. */
    private volatile MemorySegment kept;

    /** The position of one file. A thread holds its monitor during a read, so that two threads read different bytes. */
    private static final class Position {
        private final int slot;
        private long bytes;

        Position(int slot, long bytes) {
            this.slot = slot;
            this.bytes = bytes;
        }
    }

    /** Creates positions that do not outlive this process unless {@link #persistIn} is called. */
    FileReadPositions() {}

    /**
     * Continues from the positions that a previous process left in memory that outlives processes, and keeps the
     * positions there from now on. Must be called once, before the first {@link #read}. Returns the number of positions
     * that cannot be continued, because they are damaged.
     *
     * @param memory {@link #PERSISTED_BYTES} bytes, zeros before their first use; valid for any thread until the
     *     process exits
     */
    public synchronized int persistIn(MemorySegment memory) {
        Identity[] known = positions.keySet().toArray(Identity[]::new);
        positions.clear();
        usedSlots.clear();
        int damaged = 0;
        for (int i = 0; i < SLOTS; i++) {
            MemorySegment slot = slot(memory, i);
            int checksum = slot.get(U32, CHECKSUM);
            if (checksum == 0) {
                break;
            }
            long position = slot.get(U64, POSITION);
            if (checksum == checksum(slot) && position == checked(position & MAX_POSITION)) {
                usedSlots.set(i);
                positions.put(identity(slot), new Position(i, position & MAX_POSITION));
            } else if (checksum != HALF_WRITTEN) {
                damaged++;
                slot.set(U32, CHECKSUM, HALF_WRITTEN);
            }
        }
        kept = memory;
        for (Identity file : known) {
            add(file);
        }
        return damaged;
    }

    /**
     * Writes the positions of version 1 of the host's state in the current layout. May be repeated, because it does not
     * change what it reads.
     */
    public static void upgradeFromVersion1(MemorySegment memory) {
        for (int i = 0; i < SLOTS; i++) {
            MemorySegment slot = slot(memory, i);
            int checksum = slot.get(U32, CHECKSUM);
            if (checksum == 0) {
                break;
            }
            if (checksum == checksum(slot)) {
                slot.set(U64, POSITION, checked(Math.max(0, slot.get(U64, POSITION_1))));
            } else {
                slot.set(U32, CHECKSUM, HALF_WRITTEN);
            }
        }
    }

    /** Returns a position with its check value: the complement of the XOR of its three parts of 16 bits. */
    private static long checked(long position) {
        long bytes = Math.min(position, MAX_POSITION);
        long parts = bytes ^ bytes >>> 16 ^ bytes >>> 32;
        return bytes | ~parts << POSITION_BITS;
    }

    /** Returns whether the positions outlive this process. */
    public boolean isKept() {
        return kept != null;
    }

    /** Returns whether no file has been added yet. */
    public synchronized boolean isEmpty() {
        return positions.isEmpty();
    }

    /** Adds a file. Its position is 0 unless it is already known. */
    @SuppressWarnings("exports")
    public void add(Identity file) {
        of(file);
    }

    /**
     * Reads at the file's position, and advances it. Returns the number of bytes, 0 at the end of the file, or a
     * negated errno.
     */
    @SuppressWarnings("exports")
    public int read(EntropyFile file, Identity identity, MemorySegment target, long offset, int length) {
        Position position = of(identity);
        synchronized (position) {
            int read = file.pread(position.bytes, target, offset, length);
            position.bytes += Math.max(0, read);
            if (kept != null) {
                slot(kept, position.slot).set(U64, POSITION, checked(position.bytes));
            }
            return read;
        }
    }

    private synchronized Position of(Identity identity) {
        return positions.computeIfAbsent(identity, this::newPosition);
    }

    private Position newPosition(Identity file) {
        int free = usedSlots.nextClearBit(0);
        usedSlots.set(free);
        if (kept != null) {
            occupy(slot(kept, free), file);
        }
        return new Position(free, 0);
    }

    /**
     * Writes a new file to a slot. If the process ends meanwhile, the slot is invalid, or contains the file's identity
     * with position 0.
     */
    private static void occupy(MemorySegment slot, Identity file) {
        slot.set(U32, CHECKSUM, HALF_WRITTEN);
        VarHandle.releaseFence();
        slot.set(U64, DEVICE, file.device());
        slot.set(U64, INODE, file.inode());
        slot.set(U64, NODE, file.node());
        slot.set(U64, BIRTH_SECONDS, file.birthSeconds());
        slot.set(U32, BIRTH_NANOS, file.birthNanos());
        slot.set(U64, POSITION, checked(0));
        VarHandle.releaseFence();
        slot.set(U32, CHECKSUM, checksum(slot));
    }

    private static Identity identity(MemorySegment slot) {
        return new Identity(
                slot.get(U64, DEVICE),
                slot.get(U64, INODE),
                slot.get(U64, NODE),
                slot.get(U64, BIRTH_SECONDS),
                slot.get(U32, BIRTH_NANOS));
    }

    private static int checksum(MemorySegment slot) {
        CRC32C checksum = new CRC32C();
        checksum.update(slot.asSlice(0, CHECKSUM).asByteBuffer());
        return (int) checksum.getValue() | 1;
    }

    private static MemorySegment slot(MemorySegment memory, int slot) {
        return memory.asSlice((long) slot * SLOT_BYTES, SLOT_BYTES);
    }
}
