package org.vhostuserrng.cli.doctor;

import java.util.List;
import java.util.Optional;
import org.vhostuserrng.cli.doctor.HostCommands.Output;

/**
 * Checks whether the daemon accepts a configuration file. {@code --check-config} opens the sources, as the daemon does
 * when it starts.
 */
final class ConfigurationCheck implements HostCheck {
    private static final String CONFIGURATION = "configuration";

    private final String file;
    private final Optional<Output> output;

    private ConfigurationCheck(String file, Optional<Output> output) {
        this.file = file;
        this.output = output;
    }

    /**
     * Runs {@code --check-config} of the daemon on a file.
     *
     * @param program the path of the program
     */
    static ConfigurationCheck of(String program, String file, HostCommands commands) throws InterruptedException {
        return new ConfigurationCheck(file, commands.run(program, "--config=" + file, "--check-config"));
    }

    /** Returns the settings; none if the file is invalid. */
    DaemonConfiguration configuration() {
        return output.filter(Output::succeeded)
                .map(accepted -> DaemonConfiguration.parse(accepted.stdout()))
                .orElse(DaemonConfiguration.NONE);
    }

    @Override
    public List<CheckResult> run() {
        if (output.isEmpty()) {
            return List.of(CheckResult.notChecked(
                    CONFIGURATION,
                    "The daemon's program cannot be run, or did not end in time.",
                    "Run vhost-user-rng --config=" + file + " --check-config."));
        }
        if (!output.get().succeeded()) {
            return List.of(CheckResult.problem(
                    CONFIGURATION,
                    output.get().firstError() + ".",
                    "Correct the value. vhost-user-rng --config=" + file + " --check-config shows what is in force."));
        }
        int guests = configuration().guestCount();
        return List.of(CheckResult.ok(
                CONFIGURATION, file + " is valid, for " + guests + (guests == 1 ? " guest." : " guests.")));
    }
}
