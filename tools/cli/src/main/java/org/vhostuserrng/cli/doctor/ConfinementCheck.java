package org.vhostuserrng.cli.doctor;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Checks whether AppArmor or SELinux confines the VMs or the daemon. Does not examine the rules of a profile or policy.
 */
final class ConfinementCheck implements HostCheck {
    private static final String APPARMOR = "AppArmor";
    private static final String SELINUX = "SELinux";
    private static final String PACKAGE_EXAMPLES = "/usr/share/doc/vhost-user-rng/examples/";

    private final HostFiles files;
    private final List<HostProcess> processes;

    /** Creates a check of the VMs and daemons among {@code processes}. */
    ConfinementCheck(HostFiles files, List<HostProcess> processes) {
        this.files = files;
        this.processes = processes;
    }

    @Override
    public List<CheckResult> run() {
        return List.of(appArmor(), seLinux());
    }

    private CheckResult appArmor() {
        if (!files.line("/sys/module/apparmor/parameters/enabled").equals(Optional.of("Y"))) {
            return CheckResult.ok(APPARMOR, "It is not enabled.");
        }
        Map<String, String> enforced = new LinkedHashMap<>();
        for (HostProcess process : processes) {
            label(process)
                    .filter(label -> label.endsWith("(enforce)"))
                    .ifPresent(label -> enforced.put(process.toString(), label));
        }
        if (enforced.isEmpty()) {
            return CheckResult.ok(APPARMOR, "It is enabled, but confines neither a running daemon nor a running VM.");
        }
        List<String> confined = new ArrayList<>();
        enforced.forEach((process, label) -> confined.add(process + " by " + label));
        return CheckResult.notChecked(
                APPARMOR,
                "It confines " + String.join(", ", confined)
                        + ". Whether the profile allows the socket cannot be told.",
                "If a VM gets \"Permission denied\", append " + PACKAGE_EXAMPLES + "apparmor/libvirt-qemu to"
                        + " /etc/apparmor.d/local/abstractions/libvirt-qemu; denials are in the kernel log.");
    }

    private Optional<String> label(HostProcess process) {
        String attributes = HostProcesses.directory(process.pid()) + "/attr/";
        return files.line(attributes + "apparmor/current").or(() -> files.line(attributes + "current"));
    }

    private CheckResult seLinux() {
        Optional<String> enforce = files.line("/sys/fs/selinux/enforce");
        if (enforce.isEmpty()) {
            return CheckResult.ok(SELINUX, "It is not enabled.");
        }
        if (!enforce.get().equals("1")) {
            return CheckResult.ok(SELINUX, "It is permissive: it logs, but denies nothing.");
        }
        return CheckResult.notChecked(
                SELINUX,
                "It is enforcing. Whether the policy allows a VM to connect cannot be told.",
                "If a VM gets \"Permission denied\", ausearch -m avc shows the denial; " + PACKAGE_EXAMPLES
                        + "selinux/vhost-user-rng.te allows it.");
    }
}
