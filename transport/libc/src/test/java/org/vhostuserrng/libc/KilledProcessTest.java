package org.vhostuserrng.libc;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KilledProcessTest {
    private static final String NONE = "0000000000000000";
    private static final String SIGKILL = "0000000000000100";

    @TempDir
    private Path directory;

    private Path process;

    @BeforeEach
    void chooseProcess() {
        process = directory.resolve("100");
    }

    private void thread(int id, String state, String pendingSignals) throws IOException {
        Path thread = Files.createDirectories(process.resolve("task/" + id));
        Files.writeString(
                thread.resolve("status"), "Name:\tjava\nState:\t" + state + "\nSigPnd:\t" + pendingSignals + "\n");
    }

    @Test
    void isBlockedIfAThreadOfAKilledProcessWaitsInTheKernel() throws IOException {
        thread(100, "Z (zombie)", NONE);
        thread(101, "D (disk sleep)", SIGKILL);

        assertTrue(KilledProcess.isBlocked(process));
    }

    @Test
    void isNotBlockedIfAllThreadsHaveEnded() throws IOException {
        thread(100, "Z (zombie)", SIGKILL);
        thread(101, "X (dead)", NONE);

        assertFalse(KilledProcess.isBlocked(process));
    }

    @Test
    void isNotBlockedWhileTheMainThreadRuns() throws IOException {
        thread(100, "S (sleeping)", NONE);
        thread(101, "D (disk sleep)", SIGKILL);

        assertFalse(KilledProcess.isBlocked(process));
    }

    @Test
    void isNotBlockedIfAProgramContinuesAfterItsMainThreadHasEnded() throws IOException {
        thread(100, "Z (zombie)", NONE);
        thread(101, "S (sleeping)", NONE);

        assertFalse(KilledProcess.isBlocked(process));
    }

    @Test
    void isNotBlockedIfThereIsNoSuchProcess() {
        assertFalse(KilledProcess.isBlocked(process));
    }

    @Test
    void isNotBlockedWhileAProcessRuns() {
        assertFalse(KilledProcess.isBlocked((int) ProcessHandle.current().pid()));
    }
}
