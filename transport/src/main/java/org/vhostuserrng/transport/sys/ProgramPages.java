package org.vhostuserrng.transport.sys;

import java.io.FileInputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * The pages that the kernel has mapped of the program's files: the JVM's code and the archive of classes. Starting needs
 * many that serving does not, and so does the JVM's compiler; one that is needed again comes back from the page cache by
 * itself, within microseconds. Confined to one thread.
 */
public final class ProgramPages {
    private static final MemorySegment MADVISE = Libc.symbol("madvise");
    private static final MemorySegment GETPAGESIZE = Libc.symbol("getpagesize");
    private static final int MADV_DONTNEED = 4;

    // Streams of java.io: those of java.nio would load two libraries.
    private static final String MAPS = "/proc/self/maps";
    private static final String PAGEMAP = "/proc/self/pagemap";
    // Documentation/admin-guide/mm/pagemap.rst: an le64 for each page.
    private static final VarHandle ENTRY = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.nativeOrder());
    private static final long PRESENT = 1L << 63;
    private static final long SWAPPED = 1L << 62;
    private static final long FILE = 1L << 61;

    private final List<Range> code = new ArrayList<>();

    private ProgramPages() {}

    /**
     * Unmaps those that may not be written to and are as they are in their files. To be called while no library is being
     * loaded.
     *
     * @return to do it again
     * @throws IOException if the kernel does not say what is mapped
     */
    public static ProgramPages release() throws IOException {
        ProgramPages pages = new ProgramPages();
        int pageSize = Libc.callInt(GETPAGESIZE, 0, 0, 0, 0, 0);
        try (RandomAccessFile pagemap = new RandomAccessFile(PAGEMAP, "r")) {
            for (String mapping : mappings()) {
                Range range = Range.of(mapping);
                if (range != null && isUnchanged(pagemap, range.begin / pageSize, (int) (range.length() / pageSize))) {
                    range.unmap();
                    if (range.code) {
                        pages.code.add(range);
                    }
                }
            }
        }
        return pages;
    }

    /** Does it again, for the code that there was then: a JVM never unloads it, but may have begun to write to the rest. */
    public void releaseCode() {
        for (Range range : code) {
            range.unmap();
        }
    }

    private record Range(long begin, long end, boolean code) {
        /** Null if it is no file's, or may be written to. */
        private static Range of(String mapping) {
            // 7f5c0a000000-7f5c0a200000 r-xp 00000000 08:01 1234  /usr/lib/libc.so.6
            int dash = mapping.indexOf('-');
            int space = mapping.indexOf(' ');
            boolean readOnly = mapping.startsWith("r-", space + 1) && mapping.startsWith("p ", space + 4);
            if (!readOnly || mapping.indexOf('/') < space) {
                return null;
            }
            return new Range(
                    Long.parseUnsignedLong(mapping, 0, dash, 16),
                    Long.parseUnsignedLong(mapping, dash + 1, space, 16),
                    mapping.charAt(space + 3) == 'x');
        }

        private long length() {
            return end - begin;
        }

        private void unmap() {
            // Nothing depends on it: a kernel that refuses keeps them in memory.
            int ignored = Libc.callInt(MADVISE, begin, length(), MADV_DONTNEED, 0, 0);
            assert ignored <= 0;
        }
    }

    private static List<String> mappings() throws IOException {
        try (FileInputStream maps = new FileInputStream(MAPS)) {
            return List.of(new String(maps.readAllBytes(), StandardCharsets.ISO_8859_1).split("\n"));
        }
    }

    /** Whether none of the pages is a copy: one that the loader has relocated something in would be lost. */
    private static boolean isUnchanged(RandomAccessFile pagemap, long page, int count) throws IOException {
        byte[] entries = new byte[count * Long.BYTES];
        pagemap.seek(page * Long.BYTES);
        pagemap.readFully(entries);
        for (int i = 0; i < count; i++) {
            long entry = (long) ENTRY.get(entries, i * Long.BYTES);
            boolean copied = (entry & PRESENT) != 0 && (entry & FILE) == 0;
            if (copied || (entry & SWAPPED) != 0) {
                return false;
            }
        }
        return true;
    }
}
