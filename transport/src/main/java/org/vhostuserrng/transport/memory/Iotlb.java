package org.vhostuserrng.transport.memory;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.LongPredicate;

/**
 * The device IOTLB: a cache of translations from I/O virtual addresses (IOVA) to guest-physical addresses, for a device
 * behind an IOMMU. Entries do not overlap. Each entry is within one region of guest memory. Lookups neither allocate
 * nor throw. Confined to the loop's thread.
 *
 * <p>A range is specified by its first and last address, because it may end at 2^64.
 */
public final class Iotlb {
    /**
     * Maximum number of entries: more than twice the number of 4 KiB pages that the largest virtqueue and one request
     * use at a time. A new entry in a full cache evicts another one, which the device requests again when it needs it.
     */
    public static final int MAX_ENTRIES = 4096;

    /** Returned by {@link #entryAt} if no entry contains the address. */
    public static final int NONE = -1;

    /** Permission bit: the device may read. */
    public static final int READ = 1;

    /** Permission bit: the device may write. */
    public static final int WRITE = 2;

    private static final int INITIAL_CAPACITY = 16;

    /**
     * A translation, for diagnostics.
     *
     * @param first first I/O virtual address
     * @param last last I/O virtual address
     * @param guestAddress guest-physical address of {@code first}
     * @param permissions {@link #READ}, {@link #WRITE} or both
     */
    public record Entry(long first, long last, long guestAddress, int permissions) {}

    private long[] firsts = new long[INITIAL_CAPACITY];
    private long[] lasts = new long[INITIAL_CAPACITY];
    private long[] guestAddresses = new long[INITIAL_CAPACITY];
    private byte[] permissions = new byte[INITIAL_CAPACITY];
    private int count;
    private int lastHit;
    private int nextVictim;

    /** Creates an empty cache. */
    public Iotlb() {}

    // --- lookups ---------------------------------------------------------------------------------------------------

    /** Returns the index of the entry that contains {@code iova}, or {@link #NONE}. Valid until the IOTLB changes. */
    public int entryAt(long iova) {
        if (lastHit < count && covers(lastHit, iova)) {
            return lastHit;
        }
        int entry = firstEndingAtOrAfter(iova);
        if (entry == count || !covers(entry, iova)) {
            return NONE;
        }
        lastHit = entry;
        return entry;
    }

    /**
     * Returns whether an entry permits an access.
     *
     * @param access {@link #READ}, {@link #WRITE} or both
     */
    public boolean allows(int entry, int access) {
        return (permissions[entry] & access) == access;
    }

    /** Returns the guest-physical address of an {@code iova} that the entry contains. */
    public long guestAddress(int entry, long iova) {
        return guestAddresses[entry] + (iova - firsts[entry]);
    }

    /** Returns the number of bytes from {@code iova} to the end of the entry. */
    public long remaining(int entry, long iova) {
        return lasts[entry] - iova + 1;
    }

    /** Returns all entries, ordered by I/O virtual address. Allocates, so it must not be called on the data path. */
    public List<Entry> entries() {
        List<Entry> entries = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            entries.add(new Entry(firsts[i], lasts[i], guestAddresses[i], permissions[i]));
        }
        return entries;
    }

    private boolean covers(int entry, long iova) {
        return Long.compareUnsigned(iova - firsts[entry], lasts[entry] - firsts[entry]) <= 0;
    }

    private int firstEndingAtOrAfter(long iova) {
        int low = 0;
        int high = count;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (Long.compareUnsigned(lasts[middle], iova) < 0) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }

    // --- changes ---------------------------------------------------------------------------------------------------

    /**
     * Adds a translation, which replaces all earlier translations of the range.
     *
     * @param guestAddress guest-physical address of {@code first}; one region must contain the whole range
     * @param access {@link #READ}, {@link #WRITE} or both
     */
    public void map(long first, long last, long guestAddress, int access) {
        // Makes room for two entries: the new one, and one more in case the range splits an existing entry in two.
        makeRoom(2);
        cut(first, last);
        int at = firstEndingAtOrAfter(first);
        insert(at, first, last, guestAddress, (byte) access);
    }

    /** Removes the translations of a range. */
    public void unmap(long first, long last) {
        // Makes room for one entry, in case the range splits an existing entry in two.
        makeRoom(1);
        cut(first, last);
    }

    /** Removes all translations. */
    public void clear() {
        count = 0;
    }

    /** Removes all entries whose first guest-physical address does not satisfy {@code keep}. */
    public void retain(LongPredicate keep) {
        int kept = 0;
        for (int entry = 0; entry < count; entry++) {
            if (keep.test(guestAddresses[entry])) {
                firsts[kept] = firsts[entry];
                lasts[kept] = lasts[entry];
                guestAddresses[kept] = guestAddresses[entry];
                permissions[kept] = permissions[entry];
                kept++;
            }
        }
        count = kept;
    }

    /** Returns whether one entry translates the whole range to {@code guestAddress}, with exactly this access. */
    public boolean contains(long first, long last, long guestAddress, int access) {
        int entry = entryAt(first);
        return entry != NONE
                && covers(entry, last)
                && guestAddress(entry, first) == guestAddress
                && permissions[entry] == access;
    }

    private void cut(long first, long last) {
        int from = firstEndingAtOrAfter(first);
        if (from == count || Long.compareUnsigned(firsts[from], last) > 0) {
            return;
        }
        if (Long.compareUnsigned(firsts[from], first) < 0) {
            if (Long.compareUnsigned(lasts[from], last) > 0) {
                insert(from + 1, last + 1, lasts[from], guestAddress(from, last + 1), permissions[from]);
            }
            lasts[from] = first - 1;
            from++;
        }
        int to = from;
        while (to < count && Long.compareUnsigned(lasts[to], last) <= 0) {
            to++;
        }
        remove(from, to);
        if (from < count && Long.compareUnsigned(firsts[from], last) <= 0) {
            guestAddresses[from] = guestAddress(from, last + 1);
            firsts[from] = last + 1;
        }
    }

    private void makeRoom(int entries) {
        while (count + entries > MAX_ENTRIES) {
            // Evicts the entries by index, round robin.
            nextVictim = nextVictim < count ? nextVictim : 0;
            remove(nextVictim, nextVictim + 1);
        }
        if (count + entries > firsts.length) {
            int capacity = Math.min(2 * firsts.length, MAX_ENTRIES);
            firsts = Arrays.copyOf(firsts, capacity);
            lasts = Arrays.copyOf(lasts, capacity);
            guestAddresses = Arrays.copyOf(guestAddresses, capacity);
            permissions = Arrays.copyOf(permissions, capacity);
        }
    }

    private void insert(int at, long first, long last, long guestAddress, byte access) {
        move(at, at + 1);
        count++;
        firsts[at] = first;
        lasts[at] = last;
        guestAddresses[at] = guestAddress;
        permissions[at] = access;
    }

    private void remove(int from, int to) {
        move(to, from);
        count -= to - from;
    }

    /** Moves all entries from index {@code from} on, so that the first of them is at index {@code to}. */
    private void move(int from, int to) {
        int moved = count - from;
        System.arraycopy(firsts, from, firsts, to, moved);
        System.arraycopy(lasts, from, lasts, to, moved);
        System.arraycopy(guestAddresses, from, guestAddresses, to, moved);
        System.arraycopy(permissions, from, permissions, to, moved);
    }
}
