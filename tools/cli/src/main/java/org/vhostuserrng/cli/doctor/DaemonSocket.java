package org.vhostuserrng.cli.doctor;

import java.util.List;
import java.util.Optional;

/**
 * A socket on which a daemon listens, or should.
 *
 * @param path absolute path
 */
record DaemonSocket(String path) {
    /** Returns the daemon that has the socket open; empty if there is none, or it cannot be seen. */
    Optional<HostProcess> daemon(ListeningSockets listening, HostProcesses processes) {
        return owners(listening, processes).stream()
                .filter(HostProcess::isDaemon)
                .findFirst();
    }

    /** Returns the processes that have the socket open and can be seen. */
    List<HostProcess> owners(ListeningSockets listening, HostProcesses processes) {
        return listening.boundTo(path).stream()
                .flatMap(inode -> processes.owners(inode).stream())
                .distinct()
                .toList();
    }
}
