package org.vhostuserrng.it;

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

        HostCommand.Outcome outcome = HostCommand.run(Map.of(), directory, List.of("./second", "--version"));

        assertEquals(0, outcome.status(), outcome.output());
        assertEquals(version(), outcome.output());
    }

    @Test
    void isFoundThroughPath() throws IOException, InterruptedException {
        Files.createSymbolicLink(directory.resolve("vhost-user-rng"), HostCommand.launcher());

        HostCommand.Outcome outcome = HostCommand.run(
                Map.of("PATH", directory + ":" + System.getenv("PATH")),
                Path.of("/"),
                List.of("/bin/sh", "-c", "vhost-user-rng --version"));

        assertEquals(0, outcome.status(), outcome.output());
        assertEquals(version(), outcome.output());
    }

    @Test
    void worksFromACopyOfTheDistribution() throws IOException, InterruptedException {
        Path dist = HostCommand.launcher().getParent().getParent();
        HostCommand.Outcome copied =
                HostCommand.run(Map.of(), directory, List.of("cp", "-a", dist.toString(), "a copy"));
        assertEquals(0, copied.status(), copied.output());

        HostCommand.Outcome outcome =
                HostCommand.run(Map.of(), directory, List.of("a copy/bin/vhost-user-rng", "--version"));

        assertEquals(0, outcome.status(), outcome.output());
        assertEquals(version(), outcome.output());
    }

    @Test
    void saysInOneLineThatTheNamedJdkIsTooOld() throws IOException, InterruptedException {
        Path old = Files.createDirectories(directory.resolve("jdk"));
        Files.createDirectories(old.resolve("bin"));
        Files.createSymbolicLink(old.resolve("bin/java"), Path.of("/bin/true"));
        Files.writeString(old.resolve("release"), "IMPLEMENTOR=\"Nobody\"\nJAVA_VERSION=\"17.0.9\"\n");

        HostCommand.Outcome outcome = HostCommand.run(
                Map.of("VHOST_USER_RNG_JAVA_HOME", old.toString()),
                directory,
                List.of(HostCommand.launcher().toString(), "--version"));

        assertEquals(1, outcome.status(), outcome.output());
        assertEquals(
                "vhost-user-rng: VHOST_USER_RNG_JAVA_HOME=" + old + " is not a JDK 25 or newer\n", outcome.output());
    }

    @Test
    void passesOverAnOldJavaHome() throws IOException, InterruptedException {
        HostCommand.Outcome outcome = HostCommand.run(
                Map.of("JAVA_HOME", directory.toString()),
                directory,
                List.of(HostCommand.launcher().toString(), "bench", "--help"));

        assertEquals(0, outcome.status(), outcome.output());
    }

    @Test
    void daemonRunsOnTheNamedJdkToo() throws IOException, InterruptedException {
        HostCommand.Outcome outcome = HostCommand.run(
                Map.of("VHOST_USER_RNG_JAVA_HOME", System.getProperty("java.home")),
                directory,
                List.of(HostCommand.launcher().toString(), "--version"));

        assertEquals(0, outcome.status(), outcome.output());
        assertEquals(version(), outcome.output());
    }

    @Test
    void classPathCommandsStartWithoutAWarningOfTheJvm() throws IOException, InterruptedException {
        HostCommand.Outcome outcome = HostCommand.run(
                Map.of(), directory, List.of(HostCommand.launcher().toString(), "bench", "--help"));

        assertEquals(0, outcome.status(), outcome.output());
        assertTrue(outcome.output().contains("--depth"), outcome.output());
        assertFalse(outcome.output().contains("WARNING"), outcome.output());
    }
}
