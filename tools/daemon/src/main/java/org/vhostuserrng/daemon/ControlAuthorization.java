package org.vhostuserrng.daemon;

import java.lang.foreign.MemorySegment;
import org.vhostuserrng.libc.Libc;

/**
 * Decides which clients of the control socket may change something. The permissions of the socket's file decide who may
 * connect, and every client that may connect may read.
 *
 * @param daemonUid the effective user ID of this process
 * @param membersMayChange whether every client of a known user may change something; for a socket whose file only the
 *     members of a trusted group may use
 */
record ControlAuthorization(int daemonUid, boolean membersMayChange) {
    private static final MemorySegment GETEUID = Libc.symbol("geteuid");

    /** Returns the default: only root and the user of this process may change something. */
    static ControlAuthorization ofThisProcess() {
        return new ControlAuthorization(Libc.callInt(GETEUID, 0, 0, 0, 0, 0), false);
    }

    boolean mayChange(int uid) {
        return uid == 0 || uid == daemonUid || (membersMayChange && uid != -1);
    }
}
