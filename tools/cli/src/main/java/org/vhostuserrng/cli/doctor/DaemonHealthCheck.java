package org.vhostuserrng.cli.doctor;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.vhostuserrng.cli.options.IoFailureText;

/** Checks the health that the daemon reports on its control socket. */
final class DaemonHealthCheck implements HostCheck {
    private static final String HEALTH = "health";

    /** Empty if there is no control socket. */
    private final Optional<String> path;

    /** Null if the daemon has answered, or was not asked. */
    private IOException failure;

    private Map<String, String> health = Map.of();
    private List<Map<String, String>> sources = List.of();

    private DaemonHealthCheck(Optional<String> path) {
        this.path = path;
    }

    /** Creates a check without a control socket. */
    static DaemonHealthCheck unavailable() {
        return new DaemonHealthCheck(Optional.empty());
    }

    /** Asks a daemon for its health and for the states of its sources. */
    static DaemonHealthCheck ask(String path, ControlQuery daemon) {
        DaemonHealthCheck check = new DaemonHealthCheck(Optional.of(path));
        try {
            check.health = daemon.request(HEALTH).stream().findFirst().orElse(Map.of());
            check.sources = daemon.request("source", "status");
        } catch (IOException unavailable) {
            check.failure = unavailable;
        }
        return check;
    }

    /** Returns the fields of the response to {@code health}; none if there is no response. */
    Map<String, String> health() {
        return health;
    }

    /** Returns the response to {@code source status}; empty if there is none. */
    List<Map<String, String>> sources() {
        return sources;
    }

    /** Returns the number of guests of the daemon; 0 if it is not known. */
    int guestCount() {
        String guests = health.getOrDefault("guests", "");
        return guests.matches("[0-9]{1,6}") ? Integer.parseInt(guests) : 0;
    }

    @Override
    public List<CheckResult> run() {
        if (path.isEmpty()) {
            return List.of(CheckResult.notChecked(
                    HEALTH,
                    "No control socket is known.",
                    "Give the daemon a control socket, and name it with --control-socket."));
        }
        if (failure != null) {
            return List.of(CheckResult.problem(
                    HEALTH,
                    path.get() + ": " + IoFailureText.reason(failure) + ".",
                    "Start the daemon, or run this as root or as a member of the control socket's group."));
        }
        String status = health.getOrDefault("status", "?");
        String finding = "The daemon says: " + status + ".";
        return List.of(
                status.equals("ok")
                        ? CheckResult.ok(HEALTH, finding)
                        : CheckResult.problem(
                                HEALTH,
                                "The daemon says: " + status + ", because of " + health.getOrDefault("reasons", "?")
                                        + ".",
                                "Remove the cause. The log of the daemon has more about guests, sources and files."));
    }
}
