package org.vhostuserrng.transport.sys;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** What fstatfs(2) says of the file system that an open file is in. */
final class FileSystem {
    private static final MemorySegment FSTATFS = Libc.symbol("fstatfs");

    // struct statfs begins with __fsword_t f_type; 120 bytes on 64-bit Linux.
    private static final long STATFS_BYTES = 120;
    private static final long TYPE_MASK = 0xffff_ffffL;

    // Magic numbers of linux/magic.h and of the file systems' sources.
    private static final long FUSE = 0x6573_5546L;
    private static final long NFS = 0x6969L;
    private static final long V9FS = 0x0102_1997L;
    private static final long CIFS = 0xff53_4d42L;
    private static final long SMB2 = 0xfe53_4d42L;
    private static final long CEPH = 0x00c3_6400L;
    private static final long AFS = 0x5346_414fL;
    private static final long CODA = 0x7375_7245L;
    private static final long HUGETLBFS = 0x9584_58f6L;

    private FileSystem() {}

    /**
     * Whether another process, or another computer, provides the file's contents: an access to its memory waits for as
     * long as that one likes.
     */
    static boolean isServedByOthers(OwnedFd file) throws HostFault {
        return isServedByOthers(type(file));
    }

    static boolean isServedByOthers(long type) {
        return type == FUSE
                || type == NFS
                || type == V9FS
                || type == CIFS
                || type == SMB2
                || type == CEPH
                || type == AFS
                || type == CODA;
    }

    /**
     * Whether the file consists of huge pages. There may be none left when one is touched for the first time, or again
     * after a hole was punched.
     */
    static boolean isOfHugePages(OwnedFd file) throws HostFault {
        return type(file) == HUGETLBFS;
    }

    private static long type(OwnedFd file) throws HostFault {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment status = arena.allocate(STATFS_BYTES, Long.BYTES);
            HostFault.check("fstatfs", Libc.callInt(FSTATFS, file.number(), status.address(), 0, 0, 0));
            return status.get(ValueLayout.JAVA_LONG, 0) & TYPE_MASK;
        }
    }
}
