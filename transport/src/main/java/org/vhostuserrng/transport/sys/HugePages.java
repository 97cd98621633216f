package org.vhostuserrng.transport.sys;

import java.lang.foreign.MemorySegment;
import org.vhostuserrng.libc.ErrnoException;
import org.vhostuserrng.libc.Libc;
import org.vhostuserrng.libc.OwnedFd;

/**
 * The huge pages of a mapped hugetlbfs file that the host has allocated, as far as this process knows.
 *
 * <p>The first access to a huge page allocates and clears it, which takes 0.1 ms for 2 MiB and up to seconds for 1 GiB.
 * The event loop must not make this access: all guests would wait for it, and at a safepoint all threads of the JVM.
 * Therefore the peer's {@link PeerFileExecutor} runs a {@link Fault} first. A front-end that punches holes into the
 * file can still make the loop allocate a page.
 *
 * <p>Confined to the loop's thread, but for {@link Fault#run}.
 */
public final class HugePages {
    /** Pages per chunk of the bitmap. A chunk exists only if the host has allocated one of its pages. */
    private static final int CHUNK_PAGES = 4096;

    private static final MemorySegment PWRITE = Libc.symbol("pwrite");

    private final long address;
    private final int pageShift;
    private final int chunkCount;
    /** A bitmap of pages. Null until one is known. */
    private long[][] allocated;

    /**
     * Creates the pages of a mapping, of which none is known to be allocated.
     *
     * @param address where the mapping begins, a page boundary
     * @param length of the mapping in bytes, fewer than 2^31 pages
     * @param pageBytes a power of 2
     */
    public HugePages(long address, long length, long pageBytes) {
        this.address = address;
        this.pageShift = Long.numberOfTrailingZeros(pageBytes);
        this.chunkCount = (int) ((length >>> pageShift) / CHUNK_PAGES) + 1;
    }

    /**
     * Whether all pages of a range are known to be allocated.
     *
     * @param firstAddress in the mapping
     * @param bytes at least 1; the range is in the mapping
     */
    public boolean areAllocated(long firstAddress, long bytes) {
        int last = page(firstAddress + bytes - 1);
        for (int page = page(firstAddress); page <= last; page++) {
            if (!isAllocated(page)) {
                return false;
            }
        }
        return true;
    }

    private int page(long addressInPage) {
        return (int) ((addressInPage - address) >>> pageShift);
    }

    private boolean isAllocated(int page) {
        long[] chunk = allocated == null ? null : allocated[page / CHUNK_PAGES];
        // A shift uses the last 6 bits of the distance.
        return chunk != null && (chunk[page % CHUNK_PAGES / Long.SIZE] & (1L << page)) != 0;
    }

    private void setAllocated(int page) {
        if (allocated == null) {
            allocated = new long[chunkCount][];
        }
        int chunk = page / CHUNK_PAGES;
        if (allocated[chunk] == null) {
            allocated[chunk] = new long[CHUNK_PAGES / Long.SIZE];
        }
        allocated[chunk][page % CHUNK_PAGES / Long.SIZE] |= 1L << page;
    }

    /**
     * Prepares to allocate the pages of a range, with the arguments of {@link #areAllocated}.
     */
    public Fault fault(long firstAddress, long bytes) {
        return new Fault(page(firstAddress), page(firstAddress + bytes - 1));
    }

    /** Page faults in all pages of a range, in place of those of the event loop. */
    public final class Fault implements Runnable {
        private final int first;
        private final int last;
        private String failure;
        /** Written after the other fields. */
        private volatile boolean ended;

        private Fault(int first, int last) {
            this.first = first;
            this.last = last;
        }

        /** Allocates the pages. Takes long, so it is called in the peer's {@link PeerFileExecutor}. */
        @Override
        public void run() {
            // pwrite(2) makes the kernel read a byte of each page. A load would hold up the JVM's safepoints, and
            // SIGBUS in native code would end the process.
            try (OwnedFd target = SealedMemfd.create("vhost-user-rng-fault", 1)) {
                for (int page = first; page <= last; page++) {
                    long source = address + ((long) page << pageShift);
                    ErrnoException.check("pwrite", (int) Libc.callLong(PWRITE, target.number(), source, 1, 0, 0, 0));
                }
            } catch (ErrnoException refused) {
                failure = refused.getMessage();
            } finally {
                ended = true;
            }
        }

        /** Whether {@link #run} has ended. */
        public boolean hasEnded() {
            return ended;
        }

        /** Records the allocated pages, after the end. Returns why a page could not be allocated, or null. */
        public String finish() {
            for (int page = first; failure == null && page <= last; page++) {
                setAllocated(page);
            }
            return failure;
        }
    }
}
