package org.vhostuserrng.cli.doctor;

import java.util.List;

/**
 * A running process.
 *
 * @param arguments its command line, with the program's name first; empty for a thread of the kernel
 */
record HostProcess(int pid, List<String> arguments) {
    /** Returns the last part of the program's name. */
    String program() {
        String name = arguments.isEmpty() ? "" : arguments.getFirst();
        return name.substring(name.lastIndexOf('/') + 1);
    }

    /** Returns whether the process is a daemon of this program, by its command line. */
    boolean isDaemon() {
        return arguments.stream().anyMatch(argument -> argument.startsWith("org.vhostuserrng.daemon/"))
                || program().equals("vhost-user-rng");
    }

    @Override
    public String toString() {
        return (isDaemon() ? "vhost-user-rng" : program()) + " (pid " + pid + ")";
    }
}
