package org.vhostuserrng.it.tools;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.vhostuserrng.it.fixture.EventualAssertions.HANG_TIMEOUT;
import static org.vhostuserrng.it.fixture.ResponsivenessAssertions.assertServedWhile;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.vhostuserrng.frontend.EntropyDriver;
import org.vhostuserrng.frontend.EntropyDriver.Options;
import org.vhostuserrng.frontend.FrontendSocket;
import org.vhostuserrng.it.fixture.DebianMachine;
import org.vhostuserrng.it.fixture.DebianPackageExtension;
import org.vhostuserrng.it.fixture.HostCommand;

/**
 * Tests the upgrade from an earlier version, only if the system property {@value #EARLIER_PACKAGE} names it: a file, or
 * {@value #BUILD} for the last commit with another version in pom.xml, which is built in a git work tree. That takes
 * some minutes.
 */
@Tag("container")
class DebianPackageUpgradeIT {
    private static final String SOCKET = "vhost-user-rng@web.socket";
    private static final String SOCKET_PATH = "/run/vhost-user-rng/web.sock";

    private static final String EARLIER_PACKAGE = "vhost-user-rng.earlier-package";
    private static final String BUILD = "build";

    @RegisterExtension
    private static final DebianPackageExtension PACKAGE = new DebianPackageExtension();

    @TempDir
    private Path directory;

    private HostCommand.Result git(String... arguments) throws IOException, InterruptedException {
        List<String> command =
                new ArrayList<>(List.of("git", "-C", HostCommand.repository().toString()));
        command.addAll(List.of(arguments));
        return HostCommand.run(Map.of(), directory, command);
    }

    private Path earlierPackage() throws IOException, InterruptedException {
        String earlier = System.getProperty(EARLIER_PACKAGE, "");
        assumeTrue(!earlier.isEmpty(), EARLIER_PACKAGE + " is not set");
        return earlier.equals(BUILD) ? packOf(commitBeforeThisVersion()) : Path.of(earlier);
    }

    /** Returns the parent of the commit that set the version of pom.xml. */
    private String commitBeforeThisVersion() throws IOException, InterruptedException {
        HostCommand.Result changes = git("log", "-1", "--format=%H", "-G^  <version>.*</version>", "--", "pom.xml");
        assumeTrue(changes.status() == 0 && !changes.output().isBlank(), "no git history: " + changes.output());
        HostCommand.Result parent =
                git("rev-parse", "--verify", changes.output().strip() + "^");
        assumeTrue(parent.status() == 0, "no commit before this version: " + parent.output());
        return parent.output().strip();
    }

    private Path packOf(String commit) throws IOException, InterruptedException {
        Path tree = directory.resolve("tree");
        HostCommand.Result added = git("worktree", "add", "--detach", tree.toString(), commit);
        assumeTrue(added.status() == 0, added::output);
        try {
            return DebianMachine.pack(tree, directory);
        } finally {
            git("worktree", "remove", "--force", tree.toString());
        }
    }

    @Test
    @Timeout(value = 90, unit = TimeUnit.MINUTES)
    void guestOfTheVersionBeforeIsServedDuringTheUpgrade() throws IOException, InterruptedException {
        Path earlier = earlierPackage();
        try (DebianMachine machine = DebianMachine.boot(directory)) {
            machine.install(earlier);
            machine.succeed("systemctl", "enable", "--now", SOCKET);
            try (EntropyDriver guest = EntropyDriver.start(
                    FrontendSocket.connect(machine.path(SOCKET_PATH)),
                    Options.DEFAULT.withReplyTimeout(HANG_TIMEOUT))) {
                guest.request(64, HANG_TIMEOUT);

                assertServedWhile(guest, () -> machine.install(PACKAGE.file()));

                String log = machine.succeed("journalctl", "--unit=vhost-user-rng@web.service", "--output=cat");
                assertTrue(log.contains("session continued"), log);
            }
        }
    }
}
