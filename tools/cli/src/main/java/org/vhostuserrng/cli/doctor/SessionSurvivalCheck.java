package org.vhostuserrng.cli.doctor;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.vhostuserrng.cli.doctor.HostCommands.Output;

/** Checks whether sessions survive a restart, as reported by the daemon or otherwise by systemd. */
final class SessionSurvivalCheck implements HostCheck {
    private static final String SESSIONS = "sessions";
    private static final String PROPERTY = "FileDescriptorStoreMax";
    private static final String REMEDY = "Set FileDescriptorStoreMax= in the unit to at least the number of guests, or"
            + " run the daemon under vhost-user-rng hold. Until then, QEMU 9.0 or newer aborts when a VM is paused,"
            + " continued or rebooted after a restart of the daemon.";

    /** The response of the daemon to {@code health}; null if it was not asked. */
    private final Map<String, String> health;

    private final Optional<HostProcess> daemon;
    private final HostProcesses processes;
    private final HostCommands commands;

    /**
     * Creates a check.
     *
     * @param health the response of the daemon to {@code health}; empty if there is none
     * @param daemon the daemon's process, if it is known
     */
    SessionSurvivalCheck(
            Map<String, String> health, Optional<HostProcess> daemon, HostProcesses processes, HostCommands commands) {
        this.health = health;
        this.daemon = daemon;
        this.processes = processes;
        this.commands = commands;
    }

    @Override
    public List<CheckResult> run() throws InterruptedException {
        String answer = health.getOrDefault("sessions-survive", "");
        if (!answer.isEmpty()) {
            boolean survive = answer.startsWith("sessions survive");
            return List.of(
                    survive
                            ? CheckResult.ok(SESSIONS, "The daemon says: " + answer + ".")
                            : CheckResult.problem(SESSIONS, "The daemon says: " + answer + ".", REMEDY));
        }
        return List.of(bySystemd());
    }

    private CheckResult bySystemd() throws InterruptedException {
        Optional<String> unit = daemon.flatMap(process -> processes.systemdService(process.pid()));
        if (unit.isEmpty()) {
            return CheckResult.notChecked(
                    SESSIONS,
                    "Neither a control socket nor the daemon's systemd unit is known. The daemon logs at its start"
                            + " whether sessions survive.",
                    "Give the daemon a control socket, and name it with --control-socket.");
        }
        Optional<Output> shown = commands.run("systemctl", "show", "--property=" + PROPERTY, "--value", unit.get());
        String capacity = shown.filter(Output::succeeded)
                .map(output -> output.stdout().strip())
                .orElse("");
        if (!capacity.matches("[0-9]{1,9}")) {
            return CheckResult.notChecked(
                    SESSIONS, "systemctl does not tell " + PROPERTY + " of " + unit.get() + ".", "Run this as root.");
        }
        return Integer.parseInt(capacity) > 0
                ? CheckResult.ok(SESSIONS, unit.get() + " has " + PROPERTY + "=" + capacity + ".")
                : CheckResult.problem(
                        SESSIONS, unit.get() + " has no file descriptor store: sessions end with the process.", REMEDY);
    }
}
