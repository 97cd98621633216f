package org.vhostuserrng.daemon;

import java.util.List;

/** Entry point of the daemon. */
public final class DaemonMain {
    private DaemonMain() {}

    /** Runs the daemon until it is told to end; exit status 0 then, 2 for a bad configuration, 1 for a failure. */
    public static void main(String[] args) {
        if (List.of(args).contains(DaemonOptions.PRINT_CAPABILITIES)) {
            System.out.println(DaemonCommand.CAPABILITIES);
            return;
        }
        int status = DaemonCommand.execute(args);
        DaemonShutdownHook.ended();
        System.exit(status);
    }
}
