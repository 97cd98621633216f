package org.vhostuserrng.it.recipe;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.it.fixture.EventualAssertions.assertEventually;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.vhostuserrng.it.fixture.DebianPackageExtension;
import org.vhostuserrng.it.fixture.HostCommand;
import org.vhostuserrng.it.fixture.MarkdownSection;
import org.vhostuserrng.it.fixture.qemu.DebianRelease;
import org.vhostuserrng.it.fixture.qemu.GuestImageScripts;
import org.vhostuserrng.it.fixture.qemu.QemuContainer;

/** Tests the recipe for containers: builds the image, and runs a VM in a container that shares the socket. */
@Tag("container")
class ContainerRecipeGuestIT {
    /** Name of the image, container and volume of the test, which replaces the documented name. */
    private static final String NAME =
            "vhost-user-rng-test-" + ProcessHandle.current().pid();

    @RegisterExtension
    static final DebianPackageExtension PACKAGE = new DebianPackageExtension();

    @TempDir
    private static Path directory;

    private static String qemuImage;

    @BeforeAll
    static void startTheDaemon() throws IOException, InterruptedException {
        QemuContainer.assumeContainerEngine();
        // Also makes the base image, without a registry.
        qemuImage = GuestImageScripts.qemuImage(DebianRelease.TRIXIE);
        Files.copy(PACKAGE.file(), directory.resolve("vhost-user-rng.deb"));
        Files.copy(
                HostCommand.repository().resolve("tools/package/examples/containers/Dockerfile"),
                directory.resolve("Dockerfile"));
        String commands = commands()
                .getFirst()
                .replace("docker build", "docker build --build-arg BASE=vhost-user-rng/debian:trixie");
        succeed("sh", "-eu", "-c", commands);
        assertEventually(
                "the daemon listens",
                () -> execute("docker", "exec", NAME, "test", "-S", "/run/vhost-user-rng/web.sock")
                                .status()
                        == 0);
    }

    @AfterAll
    static void removeAll() throws IOException, InterruptedException {
        execute("docker", "rm", "--force", NAME, NAME + "-vm");
        execute("docker", "volume", "rm", NAME);
        execute("docker", "rmi", NAME);
    }

    /** Returns the documented commands, with the names of the test. */
    private static List<String> commands() throws IOException {
        return MarkdownSection.of(MarkdownSection.PACKAGES, "Containers").blocks("sh").stream()
                .map(block -> block.replaceAll("(?<= )vhost-user-rng(?=[\\s:])", NAME)
                        .replace("--name vm", "--name " + NAME + "-vm"))
                .toList();
    }

    private static HostCommand.Result execute(String... command) throws IOException, InterruptedException {
        // BuildKit would look for the base image in a registry.
        return HostCommand.run(Map.of("DOCKER_BUILDKIT", "0"), directory, List.of(command));
    }

    private static String succeed(String... command) throws IOException, InterruptedException {
        HostCommand.Result result = execute(command);
        assertEquals(0, result.status(), result::output);
        return result.output();
    }

    @Test
    void holdIsTheFirstProcessAndNotRoot() throws IOException, InterruptedException {
        String commandLine = succeed("docker", "exec", NAME, "sh", "-c", "tr '\\0' ' ' </proc/1/cmdline");

        assertTrue(commandLine.contains(" hold --watchdog=10 "), commandLine);
        assertEquals(
                "1000",
                succeed("docker", "exec", NAME, "stat", "--format=%u", "/proc/1")
                        .strip());
    }

    @Test
    void guestInAnotherContainerIsServed() throws IOException, InterruptedException {
        List<String> command =
                new ArrayList<>(MarkdownSection.words(commands().getLast().replace("IMAGE", qemuImage)));
        command.addAll(command.indexOf("--rm"), List.of("--volume", RecipeGuest.images() + ":/images:ro"));

        String console = succeed(RecipeGuest.commandLine(command, "/images/vmlinux", "/images/initrd.gz")
                .toArray(String[]::new));

        RecipeGuest.assertServed(console);
    }
}
