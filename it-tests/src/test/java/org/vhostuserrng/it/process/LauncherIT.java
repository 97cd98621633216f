package org.vhostuserrng.it.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vhostuserrng.it.fixture.HostCommand;

/** Tests how the launcher script finds its distribution and a JDK. */
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
}
