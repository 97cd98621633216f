package org.vhostuserrng.cli.doctor;

import static org.vhostuserrng.cli.doctor.CheckStatus.NOT_CHECKED;
import static org.vhostuserrng.cli.doctor.CheckStatus.OK;
import static org.vhostuserrng.cli.doctor.CheckStatus.PROBLEM;
import static org.vhostuserrng.cli.doctor.FakeHost.assertResult;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Tests the checks of confinement, sessions, limits, kernel and QEMU. */
class HostStateChecksTest {
    private static final HostProcess DAEMON = new HostProcess(77, List.of("vhost-user-rng"));

    @TempDir
    private Path root;

    private FakeHost host;

    @BeforeEach
    void makeHost() throws IOException {
        host = new FakeHost(root);
    }

    private List<CheckResult> confinement() {
        return new ConfinementCheck(host.files(), List.of(DAEMON)).run();
    }

    @Test
    void absentSecurityModulesAreOk() {
        assertResult(OK, "not enabled", confinement().getFirst());
        assertResult(OK, "not enabled", confinement().getLast());
    }

    @Test
    void enforcedAppArmorProfileIsNamedAndNotJudged() throws IOException {
        host.file("/sys/module/apparmor/parameters/enabled", "Y\n");
        host.file("/proc/77/attr/apparmor/current", "libvirt-1234 (enforce)\n");

        assertResult(
                NOT_CHECKED,
                "vhost-user-rng (pid 77) by libvirt-1234 (enforce)",
                confinement().getFirst());
    }

    @Test
    void appArmorWithoutAProfileIsOk() throws IOException {
        host.file("/sys/module/apparmor/parameters/enabled", "Y\n");
        host.file("/proc/77/attr/current", "unconfined\n");

        assertResult(OK, "confines neither", confinement().getFirst());
    }

    @Test
    void enforcingSelinuxIsNotJudged() throws IOException {
        host.file("/sys/fs/selinux/enforce", "1");

        assertResult(NOT_CHECKED, "enforcing", confinement().getLast());
    }

    @Test
    void permissiveSelinuxIsOk() throws IOException {
        host.file("/sys/fs/selinux/enforce", "0");

        assertResult(OK, "permissive", confinement().getLast());
    }

    private CheckResult sessions(String answer) throws InterruptedException {
        Map<String, String> health = answer.isEmpty() ? Map.of() : Map.of("sessions-survive", answer);
        return new SessionSurvivalCheck(health, Optional.of(DAEMON), host.processes(), host)
                .run()
                .getFirst();
    }

    @Test
    void daemonThatKeepsItsSessionsIsOk() throws InterruptedException {
        assertResult(
                OK, "FileDescriptorStoreMax=64", sessions("sessions survive a restart (FileDescriptorStoreMax=64)"));
    }

    @Test
    void daemonThatLosesItsSessionsIsAProblem() throws InterruptedException {
        assertResult(PROBLEM, "no NOTIFY_SOCKET", sessions("sessions end with this process: no NOTIFY_SOCKET"));
    }

    @Test
    void storeThatIsTooSmallIsAProblem() throws InterruptedException {
        assertResult(PROBLEM, "only 3 of 4", sessions("only 3 of 4 sessions survive a restart"));
    }

    @ParameterizedTest
    @CsvSource({"64, OK, has FileDescriptorStoreMax=64", "0, PROBLEM, no file descriptor store"})
    void withoutAnAnswerSystemdIsAsked(String capacity, CheckStatus status, String part) throws Exception {
        host.file("/proc/77/cgroup", "0::/system.slice/system-vhost.slice/vhost-user-rng@web.service\n");
        host.program(
                capacity + "\n",
                "systemctl",
                "show",
                "--property=FileDescriptorStoreMax",
                "--value",
                "vhost-user-rng@web.service");

        assertResult(status, part, sessions(""));
    }

    @Test
    void daemonWithoutUnitIsNotChecked() throws Exception {
        host.file("/proc/77/cgroup", "0::/user.slice/session-1.scope\n");

        assertResult(NOT_CHECKED, "Neither a control socket nor", sessions(""));
    }

    private List<CheckResult> limits(int guests) {
        return new LimitCheck(guests, Optional.of(DAEMON), host.files()).run();
    }

    private void openFiles(String soft) throws IOException {
        host.file(
                "/proc/77/limits",
                "Limit  Soft Limit  Hard Limit  Units\nMax open files            " + soft
                        + "                 524288               files     \n");
    }

    @ParameterizedTest
    @CsvSource({"524288, 4096, OK", "1024, 4096, PROBLEM", "unlimited, 4096, OK", "1024, 1, OK"})
    void openFilesMustSufficeForAllGuests(String soft, int guests, CheckStatus status) throws IOException {
        openFiles(soft);

        assertResult(status, "may open " + soft + " files", limits(guests).getFirst());
    }

    @Test
    void limitsOfAnUnknownDaemonAreNotChecked() {
        assertResult(NOT_CHECKED, "cannot be read", limits(1).getFirst());
    }

    @ParameterizedTest
    @CsvSource({"65530, 1, OK", "65530, 4096, PROBLEM", "1048576, 4096, OK"})
    void mappingsMustSufficeForAllGuests(String max, int guests, CheckStatus status) throws IOException {
        host.file("/proc/sys/vm/max_map_count", max + "\n");

        assertResult(status, "vm.max_map_count is " + max, limits(guests).getLast());
    }

    private CheckResult kernel(int index) {
        return new KernelCheck(host.files()).run().get(index);
    }

    @ParameterizedTest
    @CsvSource({
        "3.16.0, PROBLEM, no memfd seals",
        "5.2.0-1-amd64, OK, no pidfd (5.3)",
        "6.1.0-18-amd64, OK, no getrandom in the vDSO",
        "6.12.9, OK, 'pidfd, getrandom in the vDSO'"
    })
    void kernelReleaseTellsItsFeatures(String release, CheckStatus status, String part) throws IOException {
        host.file("/proc/sys/kernel/osrelease", release + "\n");

        assertResult(status, part, kernel(0));
    }

    @Test
    void kcmpIsAnOptionOfTheKernel() throws IOException {
        host.file("/proc/sys/kernel/osrelease", "6.1.0\n");
        host.file("/boot/config-6.1.0", "# CONFIG_X is not set\nCONFIG_KCMP=y\n");

        assertResult(OK, "It has kcmp", kernel(1));
    }

    @Test
    void kcmpIsNotCheckedWithoutTheKernelsConfiguration() throws IOException {
        host.file("/proc/sys/kernel/osrelease", "6.1.0\n");

        assertResult(NOT_CHECKED, "/boot/config-6.1.0", kernel(1));
    }

    @Test
    void processorFlagsAreRead() throws IOException {
        host.file("/proc/cpuinfo", "processor\t: 0\nflags\t\t: fpu rdrand sse\n");

        assertResult(OK, "RDRAND and no RDSEED", kernel(2));
    }

    @Test
    void generatorBehindHwrngIsNamed() throws IOException {
        host.file("/dev/hwrng", "");
        host.file("/sys/devices/virtual/misc/hw_random/rng_current", "tpm-rng-0\n");

        assertResult(OK, "tpm-rng-0", kernel(3));
    }

    @Test
    void hugePagesAreCounted() throws IOException {
        host.file("/proc/meminfo", "MemTotal: 1 kB\nHugePages_Total:      16\nHugePages_Free:        4\n");

        assertResult(OK, "16 are reserved, 4 of them free", kernel(4));
    }

    private CheckResult qemu(boolean vfioUser, String version) throws InterruptedException {
        host.program("QEMU emulator version " + version + " (Debian)\n", "qemu-system-x86_64", "--version");
        return new QemuVersionCheck(vfioUser, host).run().getFirst();
    }

    @ParameterizedTest
    @CsvSource({
        "false, 7.2.22, OK, goes on without its device",
        "false, 9.0.0, OK, it aborts",
        "false, 10.0.13, OK, it aborts",
        "true, 10.0.13, PROBLEM, has no vfio-user-pci",
        "true, 10.1.0, PROBLEM, has an error in vfio-user",
        "true, 10.1.1, OK, it aborts",
        "true, 11.0.0, OK, it aborts"
    })
    void knownErrorsOfQemuAreSaid(boolean vfioUser, String version, CheckStatus status, String part) throws Exception {
        assertResult(status, part, qemu(vfioUser, version));
    }

    @Test
    void missingQemuIsNotChecked() throws InterruptedException {
        assertResult(
                NOT_CHECKED, "No QEMU", new QemuVersionCheck(false, host).run().getFirst());
    }
}
