package org.vhostuserrng.cli.doctor;

import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.vhostuserrng.cli.options.IoFailureText;

/** Checks whether the file of a socket exists, and which program listens on it. */
final class SocketCheck implements HostCheck {
    private static final String SOCKET = "socket";
    private static final String LISTENER = "listener";
    private static final int SYSTEMD_PID = 1;

    private final DaemonSocket socket;
    private final HostFiles files;
    private final HostProcesses processes;
    private final ListeningSockets listening;

    SocketCheck(DaemonSocket socket, HostFiles files, HostProcesses processes, ListeningSockets listening) {
        this.socket = socket;
        this.files = files;
        this.processes = processes;
        this.listening = listening;
    }

    @Override
    public List<CheckResult> run() {
        return List.of(file(), listener());
    }

    private CheckResult file() {
        try {
            Optional<HostFileStatus> status = files.status(socket.path());
            if (status.isEmpty()) {
                return CheckResult.problem(
                        SOCKET,
                        socket.path() + " does not exist.",
                        "Start the daemon or the socket unit, and compare its --socket-path or socket-path with the"
                                + " path in the VM's configuration.");
            }
            if (!status.get().isSocket()) {
                return CheckResult.problem(
                        SOCKET,
                        socket.path() + " is not a socket.",
                        "Remove the file, or give the daemon another path: it does not replace such a file.");
            }
            return CheckResult.ok(SOCKET, socket.path() + ": " + status.get());
        } catch (IOException unreachable) {
            return CheckResult.notChecked(SOCKET, IoFailureText.describe(unreachable) + ".", "Run this as root.");
        }
    }

    private CheckResult listener() {
        Set<Long> inodes = listening.boundTo(socket.path());
        if (inodes.isEmpty()) {
            return processes.isRoot() ? noListener() : listenerUnknown();
        }
        List<HostProcess> owners = socket.owners(listening, processes);
        if (owners.isEmpty()) {
            return CheckResult.ok(
                    LISTENER,
                    "A process listens on " + socket.path() + "."
                            + (processes.isRoot() ? "" : " Only root can see which one."));
        }
        String who = owners.stream().map(this::describe).collect(Collectors.joining(", "));
        if (owners.stream().anyMatch(HostProcess::isDaemon)) {
            return CheckResult.ok(LISTENER, socket.path() + ": " + who + replaced(inodes));
        }
        if (owners.size() == 1 && owners.getFirst().pid() == SYSTEMD_PID) {
            return CheckResult.ok(
                    LISTENER, socket.path() + ": " + who + ", which starts the daemon when a VM connects.");
        }
        return CheckResult.problem(
                LISTENER,
                socket.path() + ": " + who + " listens, which is not vhost-user-rng.",
                "Stop that process, or give the daemon another path.");
    }

    private CheckResult noListener() {
        return CheckResult.problem(
                LISTENER,
                "Nobody listens on " + socket.path() + ", by the tables of all network namespaces. Not seen is a socket"
                        + " that was bound to another name, such as in a container.",
                "Start the daemon. If it has ended, its log says why: journalctl -u 'vhost-user-rng*'.");
    }

    private CheckResult listenerUnknown() {
        return CheckResult.notChecked(
                LISTENER,
                "No socket in this network namespace listens on " + socket.path()
                        + ". The units of the package have namespaces of their own.",
                "Run this as root, which sees all namespaces.");
    }

    private String describe(HostProcess process) {
        return process
                + processes
                        .user(process.pid())
                        .map(user -> ", user " + user.uid())
                        .orElse("");
    }

    private static String replaced(Set<Long> inodes) {
        return inodes.size() == 1
                ? "."
                : ". " + inodes.size() + " sockets have been bound to this path; which one the file belongs to cannot"
                        + " be told.";
    }
}
