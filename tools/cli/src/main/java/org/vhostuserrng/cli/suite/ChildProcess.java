package org.vhostuserrng.cli.suite;

import java.util.concurrent.TimeUnit;

/** How a process that was started here ends. */
final class ChildProcess {
    private static final int SECONDS_TO_END = 5;

    private ChildProcess() {}

    /** Asks it to end, and ends it if it does not. */
    static void end(Process process) {
        process.destroy();
        process.onExit()
                .copy()
                .completeOnTimeout(process, SECONDS_TO_END, TimeUnit.SECONDS)
                .join();
        process.destroyForcibly().onExit().join();
    }
}
