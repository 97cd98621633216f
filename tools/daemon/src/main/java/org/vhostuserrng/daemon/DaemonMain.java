package org.vhostuserrng.daemon;

import java.util.List;

/** Entry point of the daemon. */
public final class DaemonMain {
    private DaemonMain() {}

    /** Runs the daemon until it is stopped. Exit status: 0 stopped, 1 failure, 2 invalid command line. */
    public static void main(String[] args) {
        if (List.of(args).contains(DaemonOptions.PRINT_CAPABILITIES)) {
            System.out.println(DaemonCommand.CAPABILITIES);
            return;
        }
        int status = DaemonCommand.execute(args);
        DaemonShutdownHook.daemonStopped();
        System.exit(status);
    }
}
