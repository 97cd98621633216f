package org.vhostuserrng.transport.sys;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.vhostuserrng.libc.ErrnoException;
import org.vhostuserrng.libc.Libc;
import org.vhostuserrng.libc.OwnedFd;

/**
 * Decides which file systems may contain files that are mapped as guest memory, besides memfds, tmpfs and hugetlbfs. In
 * all file systems that are not known to be local (such as FUSE, NFS, 9p, virtiofs, and overlayfs on one of them), an
 * access to a mapped file may wait for another process or computer without limit, while all guests of the loop wait.
 *
 * <p>The type of a file's file system is looked up in the kernel's list of mounts, because statfs(2) would query the
 * file system, which may never respond.
 */
final class MemoryFileSystems {
    /** Instead of a type: accepts every file system. */
    private static final String ANY = "any";

    /** Linux file systems on local disks. */
    private static final Set<String> LOCAL = Set.of("ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "bcachefs", "zfs");

    private static final MemorySegment FSTATFS = Libc.symbol("fstatfs");
    // struct statfs begins with __fsword_t f_type and has 120 bytes on 64-bit Linux.
    private static final long STATFS_BYTES = 120;
    private static final long TYPE_MASK = 0xffff_ffffL;
    // linux/magic.h: f_type of hugetlbfs.
    private static final long HUGETLBFS_MAGIC = 0x9584_58f6L;

    private static final String MOUNT_ID = "mnt_id:";

    private MemoryFileSystems() {}

    /**
     * Checks that a file may be mapped as guest memory. The file is neither a memfd nor in tmpfs or hugetlbfs.
     *
     * @param more types of file systems to accept besides local ones, as in the third column of /proc/mounts; "fuse"
     *     includes types such as "fuse.sshfs"
     * @throws UnmappableFileException if the file must not be mapped
     */
    static void require(OwnedFd file, Set<String> more) throws UnmappableFileException {
        if (more.contains(ANY)) {
            return;
        }
        String type;
        try {
            type = type(lines("/proc/self/fdinfo/" + file.number()), lines("/proc/self/mountinfo"));
        } catch (IOException noProc) {
            throw new UnmappableFileException("its file system is unknown: " + noProc.getMessage(), noProc);
        }
        String refusal = refusal(type, more);
        if (refusal != null) {
            throw new UnmappableFileException(refusal);
        }
    }

    /** Reads a file of procfs as Latin-1, because paths in it may contain any bytes. */
    private static List<String> lines(String path) throws IOException {
        return Files.readAllLines(Path.of(path), StandardCharsets.ISO_8859_1);
    }

    /** Returns the reason why a file system of this type is refused; null if it is accepted. */
    static String refusal(String type, Set<String> more) {
        if (type == null) {
            return "it is in no file system that is mounted for this process (--allow-memory-on=" + ANY + ")";
        }
        int subtype = type.indexOf('.');
        boolean allowed = LOCAL.contains(type)
                || more.contains(type)
                || (subtype >= 0 && more.contains(type.substring(0, subtype)));
        return allowed ? null : "it is in a file system of type " + type + " (--allow-memory-on=" + type + ")";
    }

    /**
     * Returns the type of the file system that contains a file; null if it is not mounted in the mount namespace of
     * this process.
     *
     * @param fdinfo the lines of /proc/self/fdinfo/N
     * @param mountinfo the lines of /proc/self/mountinfo, such as "36 35 98:0 / /mnt rw master:1 - ext4 /dev/vda rw"
     */
    static String type(List<String> fdinfo, List<String> mountinfo) {
        String id = fdinfo.stream()
                .filter(line -> line.startsWith(MOUNT_ID))
                .map(line -> line.substring(MOUNT_ID.length()).strip())
                .findFirst()
                .orElse("");
        return mountinfo.stream()
                .filter(line -> line.startsWith(id + " "))
                .map(line -> line.substring(line.indexOf(" - ") + 3).split(" ", 2)[0])
                .findFirst()
                .orElse(null);
    }

    /**
     * Returns whether a memfd, or a file in tmpfs or hugetlbfs, consists of huge pages. The first access to such a
     * page, also after a hole was punched, raises SIGBUS if the host has no free huge page.
     */
    static boolean hasHugePages(OwnedFd memory) throws ErrnoException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment status = arena.allocate(STATFS_BYTES, Long.BYTES);
            ErrnoException.check("fstatfs", Libc.callInt(FSTATFS, memory.number(), status.address(), 0, 0, 0));
            return (status.get(ValueLayout.JAVA_LONG, 0) & TYPE_MASK) == HUGETLBFS_MAGIC;
        }
    }
}
