package org.vhostuserrng.transport.vhostuser;

import java.util.Set;

/**
 * The front-ends that may connect to a listening socket, and the permissions of its file.
 *
 * @param mode permission bits of the socket file, 0 to 0777; {@link #UNCHANGED} if the umask determines them
 * @param group group ID of the socket file; {@link #UNCHANGED} for the group that the kernel gives a new file
 * @param uids effective user IDs whose processes may connect
 * @param gids effective group IDs whose processes may connect; if {@code uids} and {@code gids} are empty, every
 *     process that can write the socket file may connect
 */
public record ListenerAccess(int mode, int group, Set<Integer> uids, Set<Integer> gids) {
    /** The value of {@link #mode} or {@link #group} that leaves the choice to the kernel. */
    public static final int UNCHANGED = -1;

    /** Access for all processes that the umask permits to write the socket file. */
    public static final ListenerAccess BY_UMASK = new ListenerAccess(UNCHANGED, UNCHANGED, Set.of(), Set.of());

    /** Copies the sets. */
    public ListenerAccess {
        uids = Set.copyOf(uids);
        gids = Set.copyOf(gids);
        if (group != UNCHANGED && mode == UNCHANGED) {
            throw new IllegalArgumentException("a group without a mode");
        }
    }

    /** Returns whether the permissions of the file are set explicitly, instead of by the umask. */
    public boolean hasPermissions() {
        return mode != UNCHANGED;
    }

    /** Returns whether every process that can write the socket file may connect. */
    public boolean allowsAll() {
        return uids.isEmpty() && gids.isEmpty();
    }

    /** Returns whether a process with these effective IDs may connect. */
    public boolean allows(int uid, int gid) {
        return allowsAll() || uids.contains(uid) || gids.contains(gid);
    }
}
