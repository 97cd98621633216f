package org.vhostuserrng.daemon;

import org.vhostuserrng.libc.LogStream;
import org.vhostuserrng.libc.NativeArguments;

/** Entry point of the daemon. */
public final class DaemonMain {
    private DaemonMain() {}

    /** Runs the daemon until it is stopped. Exit status: 0 stopped, 1 failure, 2 invalid command line. */
    public static void main(String[] args) {
        LogStream.install();
        System.exit(DaemonCommand.execute(NativeArguments.decode(args)));
    }
}
