package org.vhostuserrng.daemon.hold.sys;

import java.lang.foreign.MemorySegment;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.TreeSet;
import org.vhostuserrng.libc.Libc;
import org.vhostuserrng.libc.OwnedFd;

/**
 * A set of descriptors of which no two refer to the same open file description. Comparing inodes would not do: all
 * eventfds have the same inode.
 *
 * <p>kcmp(2) orders open file descriptions, so that a tree finds one among n with log n calls. Where kcmp is not
 * permitted, a new descriptor is compared with each other one by F_DUPFD_QUERY of fcntl(2) (Linux 6.10). Where neither
 * is available, all descriptors are assumed to differ. Confined to one thread.
 */
public final class OpenFileSet {
    private static final MemorySegment SYSCALL = Libc.symbol("syscall");
    private static final MemorySegment GETPID = Libc.symbol("getpid");
    private static final MemorySegment FCNTL = Libc.symbol("fcntl");
    private static final int SYS_KCMP = System.getProperty("os.arch").equals("amd64") ? 312 : 272;
    private static final int KCMP_FILE = 0;
    private static final int KCMP_LESS = 1;
    private static final int KCMP_GREATER = 2;
    private static final int F_DUPFD_QUERY = 1027;

    private final boolean canQuery;
    private final Set<OwnedFd> files;

    private OpenFileSet(Set<OwnedFd> files, boolean canQuery) {
        this.files = files;
        this.canQuery = canQuery;
    }

    /**
     * Creates an empty set.
     *
     * @param probe any open descriptor, which is used to find out which system calls are available
     */
    public static OpenFileSet create(OwnedFd probe) {
        int pid = Libc.callInt(GETPID, 0, 0, 0, 0, 0);
        if (kcmp(pid, probe, probe) == 0) {
            return new OpenFileSet(new TreeSet<>((left, right) -> compare(pid, left, right)), false);
        }
        return new OpenFileSet(new LinkedHashSet<>(), isSame(probe, probe));
    }

    /** Adds a descriptor. Returns false if the set has a descriptor of the same open file description. */
    public boolean add(OwnedFd fd) {
        if (canQuery) {
            for (OwnedFd other : files) {
                if (isSame(fd, other)) {
                    return false;
                }
            }
        }
        return files.add(fd);
    }

    /** Removes a descriptor, which must still be open. */
    public void remove(OwnedFd fd) {
        files.remove(fd);
    }

    private static int compare(int pid, OwnedFd left, OwnedFd right) {
        return switch (kcmp(pid, left, right)) {
            case 0 -> 0;
            case KCMP_LESS -> -1;
            case KCMP_GREATER -> 1;
            // kcmp failed: treat the descriptors as different, in the order of their numbers.
            default -> Integer.compare(left.number(), right.number());
        };
    }

    private static int kcmp(int pid, OwnedFd left, OwnedFd right) {
        return (int) Libc.callLong(SYSCALL, SYS_KCMP, pid, pid, KCMP_FILE, left.number(), right.number());
    }

    private static boolean isSame(OwnedFd left, OwnedFd right) {
        return Libc.callInt(FCNTL, left.number(), F_DUPFD_QUERY, right.number(), 0, 0) == 1;
    }
}
