package org.vhostuserrng.it;

import static org.junit.jupiter.api.Assertions.fail;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Assumptions;

/** The scripts of tools/guest that make what a guest needs, or print where it is cached. */
final class GuestImageScripts {
    static final Path DIRECTORY = HostCommand.repository().resolve("tools/guest");

    /** The exit status of the scripts when a person has to install something. */
    private static final int MISSING = 3;

    private GuestImageScripts() {}

    /** The directory of a guest's kernel; skips the test where it cannot be had. */
    static Path kernel(DebianRelease suite, String architecture, List<String> extra)
            throws IOException, InterruptedException {
        List<String> arguments = new ArrayList<>(List.of(suite.codename(), architecture));
        arguments.addAll(extra);
        return Path.of(run(suite, "build", arguments));
    }

    /** Skips the test where tools/guest/run cannot boot the guest that everybody has. */
    static void assumeGuest() throws IOException, InterruptedException {
        if (HostCommand.run(Map.of(), DIRECTORY, List.of("/bin/sh", "-c", "command -v qemu-system-x86_64"))
                        .status()
                != 0) {
            abandon("qemu-system-x86_64 is not installed", false);
        }
        run(DebianRelease.BOOKWORM, "build", List.of());
    }

    /** The name of the container image with a suite's QEMU; skips the test where it cannot be had. */
    static String image(DebianRelease suite) throws IOException, InterruptedException {
        return run(suite, "image", List.of(suite.codename()));
    }

    private static String run(DebianRelease suite, String script, List<String> arguments)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("./" + script));
        command.addAll(arguments);
        HostCommand.Outcome outcome = HostCommand.run(Map.of("VHOST_USER_RNG_INSTALL", "no"), DIRECTORY, command);
        String last = outcome.output()
                .strip()
                .lines()
                .reduce((first, second) -> second)
                .orElse("");
        return switch (outcome.status()) {
            case 0 -> last;
            case MISSING -> abandon(last, suite == DebianRelease.SID);
            default -> fail("tools/guest/" + script + ": " + outcome.output());
        };
    }

    /**
     * Skips the test, or fails it if VHOST_USER_RNG_REQUIRE_GUESTS is 1: a suite that changes from day to day is the
     * only one whose packages may be missing then.
     */
    static String abandon(String reason, boolean mayBeMissing) {
        if ("1".equals(System.getenv("VHOST_USER_RNG_REQUIRE_GUESTS")) && !mayBeMissing) {
            fail("no real guest: " + reason);
        }
        return Assumptions.abort("NO REAL GUEST WAS BOOTED: " + reason);
    }
}
