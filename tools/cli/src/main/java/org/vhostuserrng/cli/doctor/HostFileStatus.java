package org.vhostuserrng.cli.doctor;

import java.util.Locale;

/**
 * The type, permissions and owner of a file (stat(2)).
 *
 * @param mode st_mode
 * @param uid unsigned user ID
 * @param gid unsigned group ID
 */
record HostFileStatus(int mode, long uid, long gid) {
    private static final int S_IFMT = 0170000;
    private static final int S_IFSOCK = 0140000;
    private static final int PERMISSIONS = 07777;

    private static final int OWNER_SHIFT = 6;
    private static final int GROUP_SHIFT = 3;

    static final int READ = 4;
    static final int WRITE = 2;
    /** Of a directory: permission to reach the files in it. */
    static final int SEARCH = 1;

    boolean isSocket() {
        return (mode & S_IFMT) == S_IFSOCK;
    }

    /** Returns whether the permission bits grant a user {@code access}. Ignores ACLs. */
    boolean grants(UserIds user, int access) {
        // path_resolution(7): only the first class that applies counts, even if a later one grants more.
        int shift = user.uid() == uid ? OWNER_SHIFT : user.gids().contains(gid) ? GROUP_SHIFT : 0;
        return user.isRoot() || (mode >> shift & access) == access;
    }

    @Override
    public String toString() {
        return String.format(Locale.ROOT, "mode %04o, user %d, group %d", mode & PERMISSIONS, uid, gid);
    }
}
