package org.vhostuserrng.cli.doctor;

import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Checks the features of the kernel and of the processor that the daemon can use. Only a missing feature that the
 * daemon requires is a problem.
 */
final class KernelCheck implements HostCheck {
    private static final String KERNEL = "kernel";
    private static final String HUGE_PAGES = "huge pages";
    private static final String PROCESSOR = "processor";
    private static final String HWRNG = "/dev/hwrng";

    /** Linux 3.17: memfd_create(2) with F_ADD_SEALS, and getrandom(2). */
    private static final int[] SEALS = {3, 17};
    /** Linux 5.3: pidfd_open(2). */
    private static final int[] PIDFD = {5, 3};
    /** Linux 6.11: getrandom in the vDSO of x86-64; other architectures followed. */
    private static final int[] VDSO_GETRANDOM = {6, 11};

    private static final Pattern RELEASE = Pattern.compile("(\\d{1,4})\\.(\\d{1,4}).*");
    private static final Pattern TOTAL_HUGE_PAGES = Pattern.compile("(?m)^HugePages_Total: +(\\d+)");
    private static final Pattern FREE_HUGE_PAGES = Pattern.compile("(?m)^HugePages_Free: +(\\d+)");

    private final HostFiles files;

    KernelCheck(HostFiles files) {
        this.files = files;
    }

    @Override
    public List<CheckResult> run() {
        return List.of(release(), kcmp(), processor(), hwrng(), hugePages());
    }

    private CheckResult release() {
        String release = files.line("/proc/sys/kernel/osrelease").orElse("");
        Matcher numbers = RELEASE.matcher(release);
        if (!numbers.matches()) {
            return CheckResult.notChecked(
                    KERNEL, "/proc/sys/kernel/osrelease cannot be read.", "uname -r shows the release.");
        }
        int[] version = {Integer.parseInt(numbers.group(1)), Integer.parseInt(numbers.group(2))};
        if (!isAtLeast(version, SEALS)) {
            return CheckResult.problem(
                    KERNEL, "Linux " + release + " has no memfd seals and no getrandom.", "Use Linux 3.17 or newer.");
        }
        String vdso = isAtLeast(version, VDSO_GETRANDOM)
                ? "getrandom in the vDSO"
                : "no getrandom in the vDSO (6.11): the daemon uses the system call";
        return CheckResult.ok(
                KERNEL,
                "Linux " + release + " has memfd seals, " + (isAtLeast(version, PIDFD) ? "pidfd" : "no pidfd (5.3)")
                        + ", " + vdso + ".");
    }

    private static boolean isAtLeast(int[] version, int... minimum) {
        return version[0] > minimum[0] || (version[0] == minimum[0] && version[1] >= minimum[1]);
    }

    /** kcmp(2) is optional in the kernel's configuration, which the distribution may have stored in /boot. */
    private CheckResult kcmp() {
        String release = files.line("/proc/sys/kernel/osrelease").orElse("");
        Optional<String> options = files.text("/boot/config-" + release);
        if (options.isEmpty()) {
            return CheckResult.notChecked(
                    KERNEL,
                    "Whether it has kcmp cannot be told: there is no /boot/config-" + release + ".",
                    "Only vhost-user-rng hold and systemd use it, to recognize a descriptor that they have already.");
        }
        boolean present =
                options.get().contains("\nCONFIG_KCMP=y") || options.get().contains("\nCONFIG_CHECKPOINT_RESTORE=y");
        return CheckResult.ok(
                KERNEL,
                present
                        ? "It has kcmp."
                        : "It has no kcmp: vhost-user-rng hold and systemd may store a descriptor twice.");
    }

    private CheckResult processor() {
        String flags = files.text("/proc/cpuinfo")
                .orElse("")
                .lines()
                .filter(line -> line.startsWith("flags") || line.startsWith("Features"))
                .findFirst()
                .map(line -> line.substring(line.indexOf(':') + 1) + " ")
                .orElse("");
        return CheckResult.ok(
                PROCESSOR,
                "It has " + (flags.contains(" rdrand ") ? "RDRAND" : "no RDRAND") + " and "
                        + (flags.contains(" rdseed ") ? "RDSEED" : "no RDSEED")
                        + ", which the sources rdrand and rdseed need.");
    }

    private CheckResult hwrng() {
        if (!files.exists(HWRNG)) {
            return CheckResult.ok(HWRNG, "There is none. Only the source file:/dev/hwrng needs it.");
        }
        String current =
                files.line("/sys/devices/virtual/misc/hw_random/rng_current").orElse("none");
        return CheckResult.ok(
                HWRNG,
                current.equals("none")
                        ? "There is no generator behind it: the source file:/dev/hwrng would fail."
                        : "Its generator is " + current + ".");
    }

    private CheckResult hugePages() {
        String memory = files.text("/proc/meminfo").orElse("");
        Matcher total = TOTAL_HUGE_PAGES.matcher(memory);
        Matcher free = FREE_HUGE_PAGES.matcher(memory);
        if (!total.find() || !free.find()) {
            return CheckResult.ok(HUGE_PAGES, "The kernel has no hugetlbfs. Only VMs with hugetlb=on need it.");
        }
        return CheckResult.ok(
                HUGE_PAGES,
                total.group(1) + " are reserved, " + free.group(1) + " of them free. Only VMs with hugetlb=on need"
                        + " them.");
    }
}
