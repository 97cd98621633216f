package org.vhostuserrng.backends.local;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class CommandErrorLogTest {
    private final List<String> lines = new ArrayList<>();
    private final CommandErrorLog log = new CommandErrorLog(lines::add);
    private long now = Long.MIN_VALUE;

    private void add(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        log.add(bytes, bytes.length, now);
    }

    @Test
    void logsCompleteLines() {
        add("one\ntw");
        add("o\nthree");
        log.end(now);

        assertEquals(List.of("one", "two", "three"), lines);
    }

    @Test
    void replacesControlCharacters() {
        add("\u001b[2Jgr\u00fc\u00df\u202ee\r\n\n");

        assertEquals(List.of("?[2Jgr\u00fc\u00df?e?"), lines);
    }

    @Test
    void omitsTheRestOfALongLine() {
        add("x".repeat(100_000) + "\n");

        assertEquals(CommandErrorLog.MAX_LINE_BYTES, lines.getFirst().length());
    }

    @Test
    void limitsTheLinesOfAMinute() {
        for (int i = 0; i < 1000; i++) {
            add("line\n");
        }

        assertEquals(CommandErrorLog.MAX_LINES_PER_MINUTE, lines.size());
    }

    @Test
    void tellsHowManyLinesWereOmitted() {
        for (int i = 0; i < CommandErrorLog.MAX_LINES_PER_MINUTE + 7; i++) {
            add("line\n");
        }
        lines.clear();

        now += TimeUnit.MINUTES.toNanos(1);
        add("next\n");

        assertEquals(List.of("(7 more lines were not logged)", "next"), lines);
    }
}
