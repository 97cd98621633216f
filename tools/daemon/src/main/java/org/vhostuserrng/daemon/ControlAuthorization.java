package org.vhostuserrng.daemon;

import java.lang.foreign.MemorySegment;
import org.vhostuserrng.libc.Libc;

/**
 * Who may change something through the control socket: root and the user of the daemon. Everyone who may connect may
 * read, and the permissions of the socket's file decide who may connect.
 *
 * @param daemonUid the user of this process
 */
record ControlAuthorization(int daemonUid) {
    private static final MemorySegment GETEUID = Libc.symbol("geteuid");

    static ControlAuthorization ofThisProcess() {
        return new ControlAuthorization(Libc.callInt(GETEUID, 0, 0, 0, 0, 0));
    }

    /**
     * Whether a client may change something.
     *
     * @param uid unsigned; −1 if it is unknown
     */
    boolean mayChange(int uid) {
        return uid == 0 || uid == daemonUid;
    }
}
