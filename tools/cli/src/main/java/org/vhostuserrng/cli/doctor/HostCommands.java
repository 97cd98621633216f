package org.vhostuserrng.cli.doctor;

import java.util.Optional;

/** Runs programs of the host that only report information. */
@FunctionalInterface
interface HostCommands {
    /**
     * The result of a program that has ended.
     *
     * @param status exit status
     */
    record Output(int status, String stdout, String stderr) {
        boolean succeeded() {
            return status == 0;
        }

        /** Returns the first line of stderr, or a text that says that there is none. */
        String firstError() {
            return stderr.lines().findFirst().orElse("exit status " + status);
        }
    }

    /** Runs a program; empty if it is not installed, or does not end in time. */
    Optional<Output> run(String... command) throws InterruptedException;
}
