package org.vhostuserrng.cli.doctor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.cli.doctor.CheckStatus.OK;
import static org.vhostuserrng.cli.doctor.CheckStatus.PROBLEM;
import static org.vhostuserrng.cli.doctor.FakeHost.assertResult;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests which checks are made, and their report. */
class HostDoctorTest {
    private static final String CONFIG = "/etc/rng.conf";
    private static final String REPORT = """
            guest web: listening on /run/web.sock, source getrandom, no limit, weight 1, socket-mode 0660
            guest db: listening for vfio-user on /run/db.sock, source file:/a, else rdrand, max-bytes 10, weight 1
            guest fd 3: serving on fd 3, source getrandom, ops 5, period 65536 ms, weight 1
            all guests: no total limit, spin 50 us, control-socket /run/control, control-socket-mode 0600
            """;

    @TempDir
    private Path root;

    private FakeHost host;

    @BeforeEach
    void makeHost() throws IOException {
        host = new FakeHost(root);
    }

    private static DoctorRequest request(String socket, String config) {
        return new DoctorRequest(
                "program",
                Optional.ofNullable(socket),
                Optional.ofNullable(config),
                Optional.empty(),
                Optional.empty());
    }

    private static List<Map<String, String>> answer(String... words) {
        return words[0].equals("health")
                ? List.of(Map.of("status", "degraded", "reasons", "the last reload failed", "guests", "3"))
                : List.of(Map.of("source", "getrandom", "state", "quarantined"));
    }

    private List<CheckResult> examine(DoctorRequest request) throws InterruptedException {
        return new HostDoctor(host.files(), host, _ -> HostDoctorTest::answer, _ -> {}).examine(request);
    }

    private static CheckResult first(String check, List<CheckResult> results) {
        return results.stream()
                .filter(result -> result.check().equals(check))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void configurationNamesSocketsSourcesAndTheControlSocket() {
        DaemonConfiguration configuration = DaemonConfiguration.parse(REPORT);

        assertEquals(List.of("/run/web.sock", "/run/db.sock"), configuration.sockets());
        assertEquals(List.of("/run/db.sock"), configuration.vfioUserSockets());
        assertEquals(List.of("getrandom", "file:/a, else rdrand"), configuration.sources());
        assertEquals(3, configuration.guestCount());
        assertEquals(Optional.of("/run/control"), configuration.controlSocket());
    }

    @Test
    void allSocketsOfTheConfigurationAreChecked() throws InterruptedException {
        host.program(REPORT, "program", "--config=" + CONFIG, "--check-config");

        List<CheckResult> results = examine(request(null, CONFIG));

        assertResult(OK, "for 3 guests", first("configuration", results));
        assertEquals(
                2,
                results.stream()
                        .filter(result -> result.check().equals("listener"))
                        .count());
    }

    @Test
    void daemonIsAskedOnTheConfiguredControlSocket() throws InterruptedException {
        host.program(REPORT, "program", "--config=" + CONFIG, "--check-config");

        List<CheckResult> results = examine(request(null, CONFIG));

        assertResult(PROBLEM, "degraded, because of the last reload failed", first("health", results));
        assertResult(PROBLEM, "getrandom: quarantined", first("source", results));
    }

    @Test
    void invalidConfigurationIsAProblemWithItsLine() throws InterruptedException {
        host.failingProgram(
                2, "vhost-user-rng: x.conf:3: weight='0'\n", "program", "--config=" + CONFIG, "--check-config");

        assertResult(PROBLEM, "x.conf:3: weight='0'", first("configuration", examine(request(null, CONFIG))));
    }

    @Test
    void unreachableControlSocketIsAProblem() {
        DaemonHealthCheck check = DaemonHealthCheck.ask("/run/control", _ -> {
            throw new IOException("Connection refused");
        });

        assertResult(PROBLEM, "/run/control: Connection refused", check.run().getFirst());
    }

    @Test
    void givenSocketReplacesThoseOfTheDefaultConfiguration() throws Exception {
        host.file(HostDoctor.DEFAULT_CONFIG, "");

        List<CheckResult> results = examine(request("/run/x.sock", null));

        assertTrue(results.stream().noneMatch(result -> result.check().equals("configuration")));
        assertResult(PROBLEM, "/run/x.sock does not exist", first("socket", results));
    }

    @Test
    void userOfARunningVmIsChecked() throws Exception {
        host.socketFile("/run/x.sock");
        host.process(
                9,
                64055,
                "qemu",
                "-chardev",
                "socket,id=c,path=/run/x.sock",
                "-device",
                "vhost-user-rng-pci,chardev=c");

        assertResult(
                PROBLEM, "the user 64055 of process 9 may not", first("access", examine(request("/run/x.sock", null))));
    }

    @Test
    void userIsLookedUpWithItsGroups() throws InterruptedException {
        host.program("64055\n", "id", "-u", "--", "libvirt-qemu");
        host.program("64055 108\n", "id", "-G", "--", "libvirt-qemu");

        assertEquals(
                Optional.of(new UserIds("libvirt-qemu", 64055, Set.of(64055L, 108L))),
                HostDoctor.user("libvirt-qemu", host));
        assertEquals(Optional.empty(), HostDoctor.user("nobody-else", host));
    }

    @Test
    void responseOfTheControlSocketIsDecoded() throws IOException {
        assertEquals(
                List.of(Map.of("source", "file:/a\tb", "state", "serves"), Map.of("source", "x=y", "state", "")),
                ControlSocketQuery.decode("ok\nsource=file:/a\\tb\tstate=serves\nsource=x=y\tstate\n"));
    }

    @Test
    void errorOfTheControlSocketIsThrown() {
        IOException error = assertThrows(IOException.class, () -> ControlSocketQuery.decode("error\tno \\\\ such\n"));

        assertEquals("no \\ such", error.getMessage());
        assertThrows(IOException.class, () -> ControlSocketQuery.decode(""));
    }

    @Test
    void reportHasARemedyForEachProblem() {
        StringWriter text = new StringWriter();
        DoctorReport report = new DoctorReport(List.of(
                CheckResult.ok("socket", "It is there."), CheckResult.problem("a", "\u001b[1mbad", "Do that.")));

        report.print(new PrintWriter(text, true));

        assertFalse(report.isHealthy());
        assertEquals("""
                ok           socket: It is there.
                problem      a: ?[1mbad
                             Do that.
                1 problem, 0 not checked
                """, text.toString());
    }

    @Test
    void reportInJsonIsOneLine() throws IOException {
        DoctorReport report = new DoctorReport(List.of(CheckResult.notChecked("a", "b \"c\"", "d")));

        assertEquals(
                "{\"healthy\":true,\"checks\":[{\"check\":\"a\",\"status\":\"not checked\",\"finding\":\"b \\\"c\\\"\","
                        + "\"remedy\":\"d\"}]}",
                report.json());
    }
}
