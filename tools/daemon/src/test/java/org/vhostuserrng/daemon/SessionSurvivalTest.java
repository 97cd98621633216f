package org.vhostuserrng.daemon;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vhostuserrng.transport.systemd.FdStoreClient;

class SessionSurvivalTest {
    private static final long OPEN_FILES = 1024;

    @TempDir
    private Path directory;

    private FdStoreClient store(String capacity) throws IOException {
        return FdStoreClient.open(
                Map.of("NOTIFY_SOCKET", directory.resolve("notify").toString(), "FDSTORE", capacity));
    }

    @Test
    void storeThatIsOffIsNotTooSmall() {
        SessionSurvival survival = new SessionSurvival(null, 0, OPEN_FILES);

        assertFalse(survival.isTooSmallFor(1));
        assertTrue(survival.text(1).startsWith("sessions end with this process"), survival.text(1));
    }

    @Test
    void storeIsTooSmallForMoreGuestsThanItHolds() throws IOException {
        try (FdStoreClient store = store("4")) {
            SessionSurvival survival = new SessionSurvival(store, 1, OPEN_FILES);

            assertFalse(survival.isTooSmallFor(3));
            assertTrue(survival.isTooSmallFor(4));
            assertTrue(survival.text(4).startsWith("only 3 of 4 sessions survive"), survival.text(4));
        }
    }

    @Test
    void limitOfOpenFilesThatManySessionsMayReachIsNamed() throws IOException {
        try (FdStoreClient store = store("4096")) {
            SessionSurvival survival = new SessionSurvival(store, 1, OPEN_FILES);

            assertFalse(survival.text(128).contains("LimitNOFILE"), survival.text(128));
            assertTrue(survival.text(129).contains("LimitNOFILE=1024 is low for 129 sessions"), survival.text(129));
        }
    }
}
