package org.vhostuserrng.daemon;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Tests what a reload changes, what it refuses, and what it leaves to a restart. */
@Timeout(120)
class SettingsReloaderTest {
    private static final String OK = "ok";

    @TempDir
    private Path directory;

    private InProcessDaemon start(String text) throws IOException, BadUsageException {
        return new InProcessDaemon(directory, text);
    }

    private String guest(String name, String socket) {
        return "[guest." + name + "]\nsocket-path = \"" + directory.resolve(socket) + "\"\n";
    }

    private String countersFile() {
        return "counters-file = \"" + directory.resolve("counters") + "\"\n";
    }

    private String counters() throws IOException {
        return Files.readString(directory.resolve("counters"), StandardCharsets.ISO_8859_1);
    }

    private static List<String> names(InProcessDaemon daemon) {
        return daemon.guests().all().stream().map(RngGuest::name).toList();
    }

    @Test
    void aFailedMoveToAnotherSocketLeavesTheCountersOfTheName() throws Exception {
        try (InProcessDaemon daemon = start(countersFile() + guest("web1", "a"))) {
            String moved = daemon.reload(countersFile() + guest("web1", "missing/a"));

            assertTrue(moved.startsWith("reload: "), moved);
            assertFalse(counters().contains("web1#2"));
        }
    }

    @Test
    void aMoveToAnotherSocketContinuesTheCountersOfTheName() throws Exception {
        try (InProcessDaemon daemon = start(countersFile() + guest("web1", "a"))) {
            String there = daemon.reload(countersFile() + guest("web1", "b"));
            String back = daemon.reload(countersFile() + guest("web1", "a"));

            assertEquals(OK, there);
            assertEquals(OK, back);
            assertFalse(counters().contains("web1#2"));
        }
    }

    @Test
    void aRenamedGuestWithTheSameSocketIsRefusedWithBothNames() throws Exception {
        try (InProcessDaemon daemon = start(guest("web1", "a"))) {
            String renamed = daemon.reload(guest("web9", "a"));

            assertTrue(renamed.contains("is the socket of guest 'web1'"), renamed);
            assertTrue(renamed.contains("guest 'web9'"), renamed);
            assertTrue(renamed.contains("'ctl remove web1'"), renamed);
            assertEquals(List.of("web1"), names(daemon));
        }
    }

    @Test
    void aRenamedGuestIsAcceptedAfterTheRemovalOfTheOther() throws Exception {
        try (InProcessDaemon daemon = start(guest("web1", "a"))) {
            daemon.execute("remove", "web1");

            String renamed = daemon.reload(guest("web9", "a"));

            assertEquals(OK, renamed);
            assertEquals(List.of("web9"), names(daemon));
        }
    }

    @Test
    void aGuestThatCtlHasAddedMayBeConfiguredWithItsName() throws Exception {
        try (InProcessDaemon daemon = start(guest("web1", "a"))) {
            daemon.execute("add", directory.resolve("q").toString());
            RngGuest added = daemon.guests().named("q");

            String configured = daemon.reload(guest("web1", "a") + guest("q", "q"));

            assertEquals(OK, configured);
            assertEquals(added, daemon.guests().named("q"));
        }
    }

    @Test
    void aSettingWaitsForARestartUntilItIsUndone() throws Exception {
        try (InProcessDaemon daemon = start(guest("web1", "a"))) {
            daemon.reload("packed = true\n" + guest("web1", "a"));
            daemon.reload("packed = true\n" + guest("web1", "a"));
            List<String> pending = daemon.reloader().pendingRestart();
            String health = daemon.execute("health");

            daemon.reload(guest("web1", "a"));

            assertEquals(List.of("packed"), pending);
            assertTrue(health.contains("after-restart=packed"), health);
            assertEquals(List.of(), daemon.reloader().pendingRestart());
        }
    }

    @Test
    void anotherNumberOfSocketsIsNoChangeOfTheMaximumMemory() throws Exception {
        try (InProcessDaemon daemon = start(guest("web1", "a"))) {
            daemon.reload(guest("web1", "a") + guest("web2", "b"));

            assertEquals(List.of(), daemon.reloader().pendingRestart());
        }
    }

    @Test
    void aMaximumMemoryThatIsNotInForceWaitsForARestart() throws Exception {
        try (InProcessDaemon daemon = start(guest("web1", "a"))) {
            daemon.reload("max-guest-memory = 1\n" + guest("web1", "a"));

            assertEquals(List.of("max-guest-memory"), daemon.reloader().pendingRestart());
        }
    }

    @Test
    void permissionsOfASocketThatExistsWaitForARestart() throws Exception {
        try (InProcessDaemon daemon = start(guest("web1", "a"))) {
            daemon.reload(guest("web1", "a") + "socket-mode = \"0600\"\n");

            assertEquals(
                    List.of("permissions of the sockets of web1"),
                    daemon.reloader().pendingRestart());
        }
    }
}
