package org.vhostuserrng.transport.sys;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.vhostuserrng.libc.ErrnoException;
import org.vhostuserrng.libc.Libc;
import org.vhostuserrng.libc.OwnedFd;

/**
 * Determines the file system of an open file without a query to the server of a remote file system. fstatfs(2) would
 * send such a query, so it is called last, and only for files that the kernel already shows to be local.
 */
final class FileLocality {
    private static final MemorySegment FSTATFS = Libc.symbol("fstatfs");
    private static final MemorySegment FCNTL = Libc.symbol("fcntl");
    private static final int F_GET_SEALS = 1034;

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

    private FileLocality() {}

    /**
     * Whether the kernel alone provides the file's contents. The server of a remote or FUSE file system could block an
     * access to the file's memory for any length of time.
     */
    static boolean isLocal(OwnedFd file, FileStatus status) throws ErrnoException {
        return isMemory(file) || (status.supportsImmutable() && !isRemote(type(file)));
    }

    /** Whether the file is a memfd or in tmpfs or hugetlbfs: only these have seals. */
    private static boolean isMemory(OwnedFd file) {
        return Libc.callInt(FCNTL, file.number(), F_GET_SEALS, 0, 0, 0) >= 0;
    }

    static boolean isRemote(long type) {
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
     * Whether the file consists of huge pages. The host may have no free huge page at the first access to a page, or at
     * the next access after a hole was punched.
     */
    static boolean hasHugePages(OwnedFd file) throws ErrnoException {
        return type(file) == HUGETLBFS;
    }

    private static long type(OwnedFd file) throws ErrnoException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment status = arena.allocate(STATFS_BYTES, Long.BYTES);
            ErrnoException.check("fstatfs", Libc.callInt(FSTATFS, file.number(), status.address(), 0, 0, 0));
            return status.get(ValueLayout.JAVA_LONG, 0) & TYPE_MASK;
        }
    }
}
