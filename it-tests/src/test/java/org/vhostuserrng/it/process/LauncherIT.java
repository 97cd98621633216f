package org.vhostuserrng.it.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vhostuserrng.it.fixture.HostCommand;

/** Tests how the launcher script finds its distribution and a JDK, and which descriptors it passes on. */
class LauncherIT {
    @TempDir
    Path directory;

    private String version() throws IOException, InterruptedException {
        return HostCommand.run(
                        Map.of(),
                        HostCommand.repository(),
                        List.of(HostCommand.launcher().toString(), "--version"))
                .output();
    }

    @Test
    void runsFromAnyDirectoryThroughChainedRelativeLinks() throws IOException, InterruptedException {
        Path bin = Files.createDirectories(directory.resolve("with space/bin"));
        Files.createSymbolicLink(
                bin.resolve("first"),
                bin.toRealPath().relativize(HostCommand.launcher().toRealPath()));
        Files.createSymbolicLink(directory.resolve("second"), Path.of("with space/bin/first"));

        HostCommand.Result result = HostCommand.run(Map.of(), directory, List.of("./second", "--version"));

        assertEquals(0, result.status(), result.output());
        assertEquals(version(), result.output());
    }

    @Test
    void isFoundThroughPath() throws IOException, InterruptedException {
        Files.createSymbolicLink(directory.resolve("vhost-user-rng"), HostCommand.launcher());

        HostCommand.Result result = HostCommand.run(
                Map.of("PATH", directory + ":" + System.getenv("PATH")),
                Path.of("/"),
                List.of("/bin/sh", "-c", "vhost-user-rng --version"));

        assertEquals(0, result.status(), result.output());
        assertEquals(version(), result.output());
    }

    @Test
    void runsFromACopyOfTheDistribution() throws IOException, InterruptedException {
        Path dist = HostCommand.launcher().getParent().getParent();
        HostCommand.Result copied =
                HostCommand.run(Map.of(), directory, List.of("cp", "-a", dist.toString(), "a copy"));
        assertEquals(0, copied.status(), copied.output());

        HostCommand.Result result =
                HostCommand.run(Map.of(), directory, List.of("a copy/bin/vhost-user-rng", "--version"));

        assertEquals(0, result.status(), result.output());
        assertEquals(version(), result.output());
    }

    @Test
    void reportsInOneLineThatTheConfiguredJdkIsTooOld() throws IOException, InterruptedException {
        Path old = Files.createDirectories(directory.resolve("jdk"));
        Files.createDirectories(old.resolve("bin"));
        Files.createSymbolicLink(old.resolve("bin/java"), Path.of("/bin/true"));
        Files.writeString(old.resolve("release"), "IMPLEMENTOR=\"Nobody\"\nJAVA_VERSION=\"17.0.9\"\n");

        HostCommand.Result result = HostCommand.run(
                Map.of("VHOST_USER_RNG_JAVA_HOME", old.toString()),
                directory,
                List.of(HostCommand.launcher().toString(), "--version"));

        assertEquals(1, result.status(), result.output());
        assertEquals(
                "vhost-user-rng: VHOST_USER_RNG_JAVA_HOME=" + old + " is not a JDK 25 or newer\n", result.output());
    }

    @Test
    void skipsAnUnsuitableJavaHome() throws IOException, InterruptedException {
        HostCommand.Result result = HostCommand.run(
                Map.of("JAVA_HOME", directory.toString()),
                directory,
                List.of(HostCommand.launcher().toString(), "bench", "--help"));

        assertEquals(0, result.status(), result.output());
    }

    @Test
    void daemonRunsOnTheConfiguredJdk() throws IOException, InterruptedException {
        HostCommand.Result result = HostCommand.run(
                Map.of("VHOST_USER_RNG_JAVA_HOME", System.getProperty("java.home")),
                directory,
                List.of(HostCommand.launcher().toString(), "--version"));

        assertEquals(0, result.status(), result.output());
        assertEquals(version(), result.output());
    }

    @Test
    void classPathCommandsStartWithoutJvmWarnings() throws IOException, InterruptedException {
        HostCommand.Result result = HostCommand.run(
                Map.of(), directory, List.of(HostCommand.launcher().toString(), "bench", "--help"));

        assertEquals(0, result.status(), result.output());
        assertTrue(result.output().contains("--depth"), result.output());
        assertFalse(result.output().contains("WARNING"), result.output());
    }

    /**
     * A JDK whose java prints the targets of its descriptors 0, 1 and 2 to a file, instead of running the daemon.
     * Returns the file.
     */
    private Path createDescriptorPrinter(Path jdk) throws IOException {
        Path printed = directory.resolve("descriptors");
        Files.createDirectories(jdk.resolve("bin"));
        Files.writeString(jdk.resolve("release"), "JAVA_VERSION=\"25\"\n");
        Path java = Files.writeString(jdk.resolve("bin/java"), """
                #!/bin/sh
                printed=$(readlink /proc/$$/fd/0; readlink /proc/$$/fd/1; readlink /proc/$$/fd/2)
                echo "$printed" >%s
                """.formatted(printed));
        Files.setPosixFilePermissions(java, PosixFilePermissions.fromString("rwxr-xr-x"));
        return printed;
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "1", "2", "0 1", "0 2", "1 2", "0 1 2"})
    void opensClosedStandardDescriptors(String closed) throws IOException, InterruptedException {
        Path jdk = directory.resolve("jdk");
        Path printed = createDescriptorPrinter(jdk);
        StringBuilder script = new StringBuilder("exec \"$@\" </dev/zero >/dev/zero 2>/dev/zero");
        List<String> expected = new ArrayList<>(List.of("/dev/zero", "/dev/zero", "/dev/zero"));
        for (String descriptor : closed.split(" ", -1)) {
            script.append(' ').append(descriptor).append(">&-");
            expected.set(Integer.parseInt(descriptor), "/dev/null");
        }

        HostCommand.run(
                Map.of("VHOST_USER_RNG_JAVA_HOME", jdk.toString()),
                directory,
                List.of(
                        "sh",
                        "-c",
                        script.toString(),
                        "sh",
                        HostCommand.launcher().toString(),
                        "--version"));

        assertEquals(expected, Files.readAllLines(printed));
    }

    @ParameterizedTest
    @ValueSource(strings = {"--check-config --socket-path=x", "ctl --control-socket=x list"})
    void commandFailsIfStdinAndStdoutAreClosed(String arguments) throws IOException, InterruptedException {
        HostCommand.Result result = HostCommand.run(
                Map.of(), directory, List.of("sh", "-c", HostCommand.launcher() + " " + arguments + " <&- >&-"));

        assertNotEquals(0, result.status(), result.output());
    }
}
