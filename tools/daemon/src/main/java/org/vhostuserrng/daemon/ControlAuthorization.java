package org.vhostuserrng.daemon;

import java.lang.foreign.MemorySegment;
import org.vhostuserrng.libc.Libc;

/**
 * Who may change something through the control socket. The rights of the socket's file decide who may connect, and
 * everyone who may connect may read.
 *
 * @param daemonUid the user of this process
 * @param membersMayChange whether the socket belongs to a group whose members may do everything
 */
record ControlAuthorization(int daemonUid, boolean membersMayChange) {
    private static final MemorySegment GETEUID = Libc.symbol("geteuid");

    /** Only root and the user of this process may change something. */
    static ControlAuthorization ofThisProcess() {
        return new ControlAuthorization(Libc.callInt(GETEUID, 0, 0, 0, 0, 0), false);
    }

    boolean mayChange(int uid) {
        return uid == 0 || uid == daemonUid || (membersMayChange && uid != -1);
    }
}
