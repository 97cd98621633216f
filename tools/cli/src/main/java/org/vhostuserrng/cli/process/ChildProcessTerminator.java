package org.vhostuserrng.cli.process;

import java.util.concurrent.TimeUnit;

/** Terminates child processes. */
public final class ChildProcessTerminator {
    /**
     * Expires only if a process hangs. Long, because a daemon writes a log line and a flight recording before it exits.
     */
    private static final int TERMINATION_TIMEOUT_SECONDS = 60;

    private ChildProcessTerminator() {}

    /** Sends SIGTERM and waits; sends SIGKILL if the process does not exit within the timeout. */
    public static void terminate(Process process) {
        process.destroy();
        process.onExit()
                .copy()
                .completeOnTimeout(process, TERMINATION_TIMEOUT_SECONDS, TimeUnit.SECONDS)
                .join();
        process.destroyForcibly().onExit().join();
    }
}
