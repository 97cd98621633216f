package org.vhostuserrng.transport.vhostuser;

import java.util.Set;

/**
 * Who may connect to a listening socket.
 *
 * @param mode permission bits of the socket's file, 0 to 0777; {@link #UNCHANGED} if the umask determines them
 * @param group group id of the socket's file; {@link #UNCHANGED} for that of a new file
 * @param uids user ids of front-ends
 * @param gids effective group ids of front-ends; without uids and gids, every process may connect that can open the
 *     file
 */
public record ListenerAccess(int mode, int group, Set<Integer> uids, Set<Integer> gids) {
    /** Stands for a mode or group that the system determines. */
    public static final int UNCHANGED = -1;

    /** The umask determines who may connect. */
    public static final ListenerAccess BY_UMASK = new ListenerAccess(UNCHANGED, UNCHANGED, Set.of(), Set.of());

    /** Copies the sets. */
    public ListenerAccess {
        uids = Set.copyOf(uids);
        gids = Set.copyOf(gids);
        if (group != UNCHANGED && mode == UNCHANGED) {
            throw new IllegalArgumentException("a group without a mode");
        }
    }

    /** Whether the file has permissions of its own. */
    public boolean hasPermissions() {
        return mode != UNCHANGED;
    }

    /** Whether every process may connect that can open the file. */
    public boolean allowsAll() {
        return uids.isEmpty() && gids.isEmpty();
    }

    /** Whether a process with these ids may connect. */
    public boolean allows(int uid, int gid) {
        return allowsAll() || uids.contains(uid) || gids.contains(gid);
    }
}
