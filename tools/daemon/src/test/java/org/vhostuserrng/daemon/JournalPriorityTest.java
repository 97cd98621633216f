package org.vhostuserrng.daemon;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class JournalPriorityTest {
    private final JournalPriority priority = new JournalPriority();

    @ParameterizedTest
    @CsvSource({
        "<3>, ERROR a",
        "<4>, WARN a",
        "<6>, INFO a",
        "<7>, DEBUG a",
        "<3>, vhost-user-rng: --period='0': expected a number"
    })
    void followsTheLevelOfALine(String prefix, String line) {
        priority.apply("INFO before");

        assertEquals(prefix + line, priority.apply(line));
    }

    @Test
    void linesOfAStackTraceHaveThePriorityOfTheFirst() {
        priority.apply("ERROR bug");

        assertEquals("<3>    at Main.main", priority.apply("    at Main.main"));
    }

    @Test
    void standardErrorIsTheJournalIfItIsTheFileOfTheVariable() throws IOException {
        Map<String, Object> file = Files.readAttributes(Path.of("/proc/self/fd/2"), "unix:dev,ino");

        assertTrue(JournalPriority.isJournal(file.get("dev") + ":" + file.get("ino")));
        assertFalse(JournalPriority.isJournal(file.get("dev") + ":0"));
        assertFalse(JournalPriority.isJournal(null));
    }
}
