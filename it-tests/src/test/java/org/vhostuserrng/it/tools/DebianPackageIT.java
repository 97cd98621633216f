package org.vhostuserrng.it.tools;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vhostuserrng.it.fixture.HostCommand;

/** Tests the contents of the Debian package, and that its build is reproducible. Compressing it takes a minute. */
@Tag("container")
class DebianPackageIT {
    private static final double MAX_EXPOSURE = 2.0;

    @TempDir
    private static Path directory;

    private static Path unpacked;
    private static Path file;

    @BeforeAll
    static void buildAndUnpack() throws IOException, InterruptedException {
        assumeCommand("dpkg-deb");
        file = build("first");
        unpacked = directory.resolve("unpacked");
        assertSucceeds("dpkg-deb", "--raw-extract", file.toString(), unpacked.toString());
    }

    private static Path build(String folder) throws IOException, InterruptedException {
        String script = HostCommand.repository().resolve("tools/package/deb").toString();
        String output =
                assertSucceeds(script, "--no-build", directory.resolve(folder).toString());
        return Path.of(output.lines().toList().getLast());
    }

    private static void assumeCommand(String name) throws IOException, InterruptedException {
        assumeTrue(execute("sh", "-c", "command -v " + name).status() == 0, name + " is not installed");
    }

    private static HostCommand.Result execute(String... command) throws IOException, InterruptedException {
        return HostCommand.run(
                Map.of("VHOST_USER_RNG_INSTALL", "no", "LC_ALL", "C.UTF-8"), directory, List.of(command));
    }

    private static String assertSucceeds(String... command) throws IOException, InterruptedException {
        HostCommand.Result result = execute(command);
        assertEquals(0, result.status(), result::output);
        return result.output();
    }

    private static List<String> manPages() throws IOException {
        try (Stream<Path> pages = Files.list(unpacked.resolve("usr/share/man/man1"))) {
            return pages.map(Path::toString).sorted().toList();
        }
    }

    @Test
    void secondBuildHasTheSameBytes() throws IOException, InterruptedException {
        byte[] first = Files.readAllBytes(file);

        assertArrayEquals(first, Files.readAllBytes(build("second")));
    }

    @Test
    void lintianFindsNoErrorAndNoWarning() throws IOException, InterruptedException {
        assumeCommand("lintian");

        String output = assertSucceeds(
                "lintian", "--allow-root", "--fail-on", "error,warning", "--tag-display-limit", "0", file.toString());

        assertFalse(output.contains("W: "), output);
    }

    private static void assertConfined(String unit) throws IOException, InterruptedException {
        String output = assertSucceeds(
                "systemd-analyze", "security", "--offline=yes", "--no-pager", "--root=" + unpacked, unit);

        String level = output.replaceAll("(?s).*Overall exposure level for \\S+: ([0-9.]+).*", "$1");
        assertTrue(Double.parseDouble(level) <= MAX_EXPOSURE, output);
    }

    @ParameterizedTest
    @ValueSource(strings = {"vhost-user-rng.service", "vhost-user-rng@web.service"})
    void unitsAreConfined(String unit) throws IOException, InterruptedException {
        assumeCommand("systemd-analyze");

        assertConfined(unit);
    }

    @ParameterizedTest
    @CsvSource({
        "vhost-user-rng.service, egd-network.conf",
        "vhost-user-rng.service, egd-stunnel.conf",
        "vhost-user-rng.service, usb-generator.conf",
        "vhost-user-rng@web.service, egd-network.conf",
        "vhost-user-rng@web.service, egd-stunnel.conf",
        "vhost-user-rng@web.service, usb-generator.conf"
    })
    void unitsWithDropInsAreConfined(String unit, String dropIn) throws IOException, InterruptedException {
        assumeCommand("systemd-analyze");
        Path folder = unpacked.resolve("etc/systemd/system/" + unit.replace("@web", "@") + ".d");
        Path file = folder.resolve(dropIn);
        Files.createDirectories(folder);
        Files.copy(unpacked.resolve("usr/share/doc/vhost-user-rng/examples/systemd/" + dropIn), file);
        try {
            assertConfined(unit);
            assertVerified(unit);
        } finally {
            Files.delete(file);
        }
    }

    @Test
    void unitsHaveNoUnknownSettings() throws IOException, InterruptedException {
        assumeCommand("systemd-analyze");

        assertVerified("vhost-user-rng.service", "vhost-user-rng@web.service", "vhost-user-rng@web.socket");
    }

    private static void assertVerified(String... units) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("systemd-analyze", "verify", "--man=no", "--root=" + unpacked));
        command.addAll(List.of(units));

        HostCommand.Result result = execute(command.toArray(String[]::new));

        // Ignore these complaints: the unpacked package contains neither systemd's own units nor a shell.
        List<String> complaints = result.output()
                .lines()
                .filter(line ->
                        !line.contains("sysinit.target not found") && !line.contains("/bin/sh is not executable"))
                .toList();
        assertEquals(List.of(), complaints);
    }

    @Test
    void manPagesHaveNoWarnings() throws IOException, InterruptedException {
        assumeCommand("man");
        List<String> command = new ArrayList<>(List.of("man", "--warnings", "--local-file", "--troff-device=utf8"));
        command.addAll(manPages());

        String output = assertSucceeds(command.toArray(String[]::new));

        assertFalse(output.contains("warning:"), output);
    }

    @Test
    void everyCommandHasAManPage() throws IOException, InterruptedException {
        String help = assertSucceeds(HostCommand.launcher().toString(), "--help");
        String last = help.lines().toList().getLast();

        for (String command : last.strip().split(", ", -1)) {
            String page = "usr/share/man/man1/vhost-user-rng-" + command + ".1.gz";
            assertTrue(Files.exists(unpacked.resolve(page)), page);
        }
    }

    @Test
    void qemuFindsTheBackEnd() throws IOException {
        String json = Files.readString(unpacked.resolve("usr/share/qemu/vhost-user/50-vhost-user-rng.json"));

        assertTrue(json.contains("\"type\": \"rng\""), json);
        assertTrue(json.contains("\"binary\": \"/usr/bin/vhost-user-rng\""), json);
        assertTrue(Files.isSymbolicLink(unpacked.resolve("usr/bin/vhost-user-rng")));
    }

    @Test
    void installedProgramsRunOnThePackagesOwnRuntimes() throws IOException, InterruptedException {
        String program =
                unpacked.resolve("usr/lib/vhost-user-rng/bin/vhost-user-rng").toString();
        Map<String, String> noJdk = Map.of("JAVA_HOME", "", "PATH", "/usr/bin:/bin");

        HostCommand.Result daemon = HostCommand.run(noJdk, directory, List.of(program, "--version"));
        HostCommand.Result command =
                HostCommand.run(noJdk, directory, List.of(program, "check-source", "getrandom", "--bytes=2048"));

        assertEquals(0, daemon.status(), daemon::output);
        assertEquals(0, command.status(), command::output);
    }

    @Test
    void zshAndBashAcceptTheCompletions() throws IOException, InterruptedException {
        assumeCommand("zsh");

        assertSucceeds(
                "bash",
                "-n",
                unpacked.resolve("usr/share/bash-completion/completions/vhost-user-rng")
                        .toString());
        assertSucceeds(
                "zsh",
                "-n",
                unpacked.resolve("usr/share/zsh/vendor-completions/_vhost-user-rng")
                        .toString());
    }

    @Test
    void installingConfiguresNothing() throws IOException {
        try (Stream<Path> files = Files.walk(unpacked.resolve("etc"))) {
            assertEquals(List.of(), files.filter(Files::isRegularFile).toList());
        }
    }
}
