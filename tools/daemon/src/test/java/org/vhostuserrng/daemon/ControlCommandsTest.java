package org.vhostuserrng.daemon;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests the commands of the control socket. */
@Timeout(120)
class ControlCommandsTest {
    private static final int OTHER_UID = 1000;

    @TempDir
    private Path directory;

    private InProcessDaemon daemon;

    @BeforeEach
    void start() throws IOException, BadUsageException {
        daemon = new InProcessDaemon(directory, """
                max-bytes = 4096
                period = 1000
                burst = 100
                socket-mode = "0640"
                [guest.web1]
                socket-path = "%s"
                """.formatted(directory.resolve("web1")));
    }

    @AfterEach
    void close() {
        daemon.close();
    }

    private String add(String... settings) throws IOException {
        String[] words = new String[settings.length + 2];
        words[0] = "add";
        words[1] = directory.resolve("added").toString();
        System.arraycopy(settings, 0, words, 2, settings.length);
        return daemon.execute(words);
    }

    @Test
    void anAddedGuestHasTheLimitsOfAllGuests() throws Exception {
        add("weight=5");

        GuestRateLimiterSettings limits = RngGuests.limits(daemon.guests().named("added"));
        assertEquals(RngGuests.limits(daemon.guests().named("web1")).limits(), limits.limits());
        assertEquals(5, limits.share().weight());
    }

    @Test
    void anAddedGuestHasThePermissionsOfAllGuests() throws Exception {
        add();

        assertEquals(
                "rw-r-----", PosixFilePermissions.toString(Files.getPosixFilePermissions(directory.resolve("added"))));
    }

    @Test
    void aSocketIsFreeAfterTheRemovalOfItsGuest() throws Exception {
        String refused = daemon.execute("add", directory + "/../" + directory.getFileName() + "/./web1");
        daemon.execute("remove", "web1");
        String accepted = daemon.execute("add", directory.resolve("web1").toString());

        assertTrue(refused.contains("'web1' exists already"), refused);
        assertEquals("ok", accepted);
    }

    @ParameterizedTest
    @ValueSource(strings = {"foo", "LIST"})
    void anUnknownCommandIsUnknownToEveryClient(String command) throws Exception {
        String answer = daemon.executeAs(OTHER_UID, command);

        assertTrue(answer.startsWith(command + ": unknown command; expected one of list, "), answer);
    }

    @Test
    void anUnknownCommandOfASourceIsNamed() throws Exception {
        assertEquals(
                "source foo: unknown command; expected status, test, quarantine or release",
                daemon.execute("source", "foo"));
    }

    @Test
    void aChangeByAnotherUserIsRefused() throws Exception {
        assertEquals(
                "pause: only root and the user of the daemon may make changes",
                daemon.executeAs(OTHER_UID, "pause", "web1"));
    }

    @Test
    void aRepeatedKeyChangesNothing() throws Exception {
        String refused = daemon.execute("set", "web1", "weight=5", "weight=6");

        assertEquals("set: 'weight=6': expected each key once", refused);
        assertEquals(1, RngGuests.limits(daemon.guests().named("web1")).share().weight());
    }
}
