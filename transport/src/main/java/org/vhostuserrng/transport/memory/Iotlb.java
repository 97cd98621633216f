package org.vhostuserrng.transport.memory;

import java.util.Arrays;
import java.util.function.LongPredicate;

/**
 * Translations of I/O virtual addresses, as the driver of a device behind an IOMMU uses them, to guest-physical ones: a
 * cache of what the VMM has told so far. Entries do not overlap; each lies in one region of guest memory. Confined to
 * the loop's thread. Lookups neither allocate nor throw.
 *
 * <p>All ranges are given by their first and their last address, as one may end at 2^64.
 */
public final class Iotlb {
    /**
     * Entries that are kept at most; a further one takes the place of another, which is asked for again if it is
     * needed. More than twice what the largest virtqueue and a request need at once, page by page.
     */
    public static final int MOST_ENTRIES = 4096;

    /** {@link #entryAt}: no entry holds the address. */
    public static final int NONE = -1;

    /** The device may read: a bit of an entry's permissions. */
    public static final int READ = 1;

    /** The device may write: a bit of an entry's permissions. */
    public static final int WRITE = 2;

    private static final int FEW = 16;

    private long[] firsts = new long[FEW];
    private long[] lasts = new long[FEW];
    private long[] guestAddresses = new long[FEW];
    private byte[] permissions = new byte[FEW];
    private int count;
    private int lastHit;
    private int nextToGo;

    /** Knows no translation. */
    public Iotlb() {}

    // --- lookups ---------------------------------------------------------------------------------------------------

    /** The number of the entry that holds {@code iova}, or {@link #NONE}. Entries are renumbered by every change. */
    public int entryAt(long iova) {
        if (lastHit < count && holds(lastHit, iova)) {
            return lastHit;
        }
        int entry = firstThatEndsAtOrBehind(iova);
        if (entry == count || !holds(entry, iova)) {
            return NONE;
        }
        lastHit = entry;
        return entry;
    }

    /** Whether the device may do all of {@code access} to what an entry maps. */
    public boolean allows(int entry, int access) {
        return (permissions[entry] & access) == access;
    }

    /** The guest-physical address of an {@code iova} that the entry holds. */
    public long guestAddress(int entry, long iova) {
        return guestAddresses[entry] + (iova - firsts[entry]);
    }

    /** How many bytes the entry maps from {@code iova} on. */
    public long room(int entry, long iova) {
        return lasts[entry] - iova + 1;
    }

    private boolean holds(int entry, long iova) {
        return Long.compareUnsigned(iova - firsts[entry], lasts[entry] - firsts[entry]) <= 0;
    }

    private int firstThatEndsAtOrBehind(long iova) {
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
     * Maps a range, whatever was known of it before.
     *
     * @param guestAddress where {@code first} is in guest memory; all of the range is behind it, in one region
     * @param access {@link #READ}, {@link #WRITE} or both
     */
    public void map(long first, long last, long guestAddress, int access) {
        // One for the range, one for an entry that it cuts in two.
        makeRoom(2);
        cut(first, last);
        int at = firstThatEndsAtOrBehind(first);
        insert(at, first, last, guestAddress, (byte) access);
    }

    /** Forgets what is known of a range. */
    public void unmap(long first, long last) {
        // For an entry that the range cuts in two.
        makeRoom(1);
        cut(first, last);
    }

    /** Forgets everything. */
    public void clear() {
        count = 0;
    }

    /** Forgets the entries whose guest-physical addresses do not begin where {@code stays} holds. */
    public void retain(LongPredicate stays) {
        int kept = 0;
        for (int entry = 0; entry < count; entry++) {
            if (stays.test(guestAddresses[entry])) {
                firsts[kept] = firsts[entry];
                lasts[kept] = lasts[entry];
                guestAddresses[kept] = guestAddresses[entry];
                permissions[kept] = permissions[entry];
                kept++;
            }
        }
        count = kept;
    }

    /** Whether one entry maps all of the range just so. */
    public boolean knows(long first, long last, long guestAddress, int access) {
        int entry = entryAt(first);
        return entry != NONE
                && holds(entry, last)
                && guestAddress(entry, first) == guestAddress
                && permissions[entry] == access;
    }

    private void cut(long first, long last) {
        int from = firstThatEndsAtOrBehind(first);
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
        while (count + entries > MOST_ENTRIES) {
            // In turn: what was mapped a moment ago, and is needed now, is not what goes for long.
            nextToGo = nextToGo < count ? nextToGo : 0;
            remove(nextToGo, nextToGo + 1);
        }
        if (count + entries > firsts.length) {
            int capacity = Math.min(2 * firsts.length, MOST_ENTRIES);
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

    /** Moves the entries from number {@code from} on to number {@code to} on. */
    private void move(int from, int to) {
        int moved = count - from;
        System.arraycopy(firsts, from, firsts, to, moved);
        System.arraycopy(lasts, from, lasts, to, moved);
        System.arraycopy(guestAddresses, from, guestAddresses, to, moved);
        System.arraycopy(permissions, from, permissions, to, moved);
    }
}
