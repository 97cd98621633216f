package org.vhostuserrng.cli.doctor;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.vhostuserrng.cli.doctor.HostCommands.Output;

/**
 * Checks the installed versions of QEMU. Runs only programs in PATH and in /usr/libexec, because the program of a
 * running VM may belong to another user.
 */
final class QemuVersionCheck implements HostCheck {
    private static final String QEMU = "QEMU";
    private static final List<String> PROGRAMS =
            List.of("qemu-system-x86_64", "qemu-system-aarch64", "/usr/libexec/qemu-kvm");

    private static final Pattern VERSION =
            Pattern.compile("QEMU emulator version (\\d{1,4})\\.(\\d{1,4})\\.(\\d{1,4})");

    private final boolean vfioUser;
    private final HostCommands commands;

    /**
     * Creates a check.
     *
     * @param vfioUser whether the daemon has a socket for vfio-user
     */
    QemuVersionCheck(boolean vfioUser, HostCommands commands) {
        this.vfioUser = vfioUser;
        this.commands = commands;
    }

    @Override
    public List<CheckResult> run() throws InterruptedException {
        List<CheckResult> results = new ArrayList<>();
        for (String program : PROGRAMS) {
            Optional<Output> output = commands.run(program, "--version").filter(Output::succeeded);
            if (output.isPresent()) {
                results.add(check(program, output.get().stdout()));
            }
        }
        return results.isEmpty()
                ? List.of(CheckResult.notChecked(
                        QEMU, "No QEMU is installed in PATH.", "If another VMM is used, see its documentation."))
                : results;
    }

    private CheckResult check(String program, String text) {
        Matcher version = VERSION.matcher(text);
        if (!version.find()) {
            return CheckResult.notChecked(QEMU, program + " does not tell its version.", "Run it with --version.");
        }
        int major = Integer.parseInt(version.group(1));
        int minor = Integer.parseInt(version.group(2));
        int micro = Integer.parseInt(version.group(3));
        String name = program + " " + major + "." + minor + "." + micro;
        if (vfioUser && (major < 10 || (major == 10 && (minor < 1 || (minor == 1 && micro == 0))))) {
            return CheckResult.problem(
                    QEMU,
                    name + (major == 10 && minor == 1 ? " has an error in vfio-user." : " has no vfio-user-pci."),
                    "Use QEMU 10.1.1 or newer, or a socket for vhost-user.");
        }
        return CheckResult.ok(QEMU, name + ". " + behaviourAfterLoss(major));
    }

    private static String behaviourAfterLoss(int major) {
        return major >= 9
                ? "After a lost connection to the daemon, it aborts when the VM is paused, continued or rebooted:"
                        + " sessions should survive a restart."
                : "After a lost connection to the daemon, the VM goes on without its device. QEMU 7.2 is incompatible"
                        + " with --mem-slots.";
    }
}
