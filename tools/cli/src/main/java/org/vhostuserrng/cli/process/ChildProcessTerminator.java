package org.vhostuserrng.cli.process;

import java.util.concurrent.TimeUnit;

/** How a process that was started here ends. */
public final class ChildProcessTerminator {
    private static final int TERMINATION_TIMEOUT_SECONDS = 5;

    private ChildProcessTerminator() {}

    /** Asks it to end, and ends it if it does not. */
    public static void terminate(Process process) {
        process.destroy();
        process.onExit()
                .copy()
                .completeOnTimeout(process, TERMINATION_TIMEOUT_SECONDS, TimeUnit.SECONDS)
                .join();
        process.destroyForcibly().onExit().join();
    }
}
