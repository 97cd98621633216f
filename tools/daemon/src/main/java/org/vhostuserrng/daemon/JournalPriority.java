package org.vhostuserrng.daemon;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.UnaryOperator;

/**
 * Prefixes log lines with their priority for systemd's journal: {@code <3>} error, {@code <4>} warning, {@code <6>}
 * information, {@code <7>} debug (sd-daemon(3)). A line without a level, such as one of a stack trace, gets the
 * priority of the line before it. Guarded by the log's lock.
 */
final class JournalPriority implements UnaryOperator<String> {
    private static final Path STANDARD_ERROR = Path.of("/proc/self/fd/2");
    private static final String ERROR = "<3>";

    private String last = ERROR;

    /**
     * Returns whether standard error is the journal: systemd.exec(5), JOURNAL_STREAM.
     *
     * @param journalStream the value of JOURNAL_STREAM; null if it is not set
     */
    static boolean isJournal(String journalStream) {
        if (journalStream == null) {
            return false;
        }
        try {
            Map<String, Object> file = Files.readAttributes(STANDARD_ERROR, "unix:dev,ino");
            return journalStream.equals(file.get("dev") + ":" + file.get("ino"));
        } catch (IOException | UnsupportedOperationException noProc) {
            return false;
        }
    }

    /** Returns the line with its priority as a prefix. */
    @Override
    public String apply(String line) {
        last = priority(line);
        return last + line;
    }

    private String priority(String line) {
        String word = line.substring(0, Math.max(0, line.indexOf(' ')));
        return switch (word) {
            case "ERROR", DaemonCommand.PROGRAM + ":" -> ERROR;
            case "WARN" -> "<4>";
            case "INFO" -> "<6>";
            case "DEBUG", "TRACE" -> "<7>";
            default -> last;
        };
    }
}
