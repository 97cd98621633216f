package org.vhostuserrng.backends.local;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * Logs the lines that a program writes to stderr, without control characters, and only a limited number of them per
 * minute. Confined to one thread.
 */
final class CommandErrorLog {
    static final int MAX_LINES_PER_MINUTE = 20;
    /** Maximum length of a line in bytes. The rest of a longer line is omitted. */
    static final int MAX_LINE_BYTES = 400;

    private static final long MINUTE_NANOS = TimeUnit.MINUTES.toNanos(1);

    private final Consumer<String> log;
    private final ByteArrayOutputStream line = new ByteArrayOutputStream();
    private boolean started;
    private long minuteStart;
    private int linesOfMinute;
    private int omittedLines;

    /** Creates a log that passes its lines to {@code log}. */
    CommandErrorLog(Consumer<String> log) {
        this.log = log;
    }

    /**
     * Adds output of the program.
     *
     * @param now a monotonic time in nanoseconds
     */
    void add(byte[] output, int length, long now) {
        for (int i = 0; i < length; i++) {
            if (output[i] == '\n') {
                endLine(now);
            } else if (line.size() < MAX_LINE_BYTES) {
                line.write(output[i]);
            }
        }
    }

    /** Logs the last line, which has no line feed. */
    void end(long now) {
        endLine(now);
    }

    private void endLine(long now) {
        String text = printable(line.toString(StandardCharsets.UTF_8)).strip();
        line.reset();
        if (text.isEmpty()) {
            return;
        }
        if (!started || now - minuteStart >= MINUTE_NANOS) {
            started = true;
            minuteStart = now;
            linesOfMinute = 0;
            reportOmittedLines();
        }
        if (linesOfMinute < MAX_LINES_PER_MINUTE) {
            linesOfMinute++;
            log.accept(text);
        } else {
            omittedLines++;
        }
    }

    private void reportOmittedLines() {
        if (omittedLines > 0) {
            log.accept("(" + omittedLines + " more lines were not logged)");
            omittedLines = 0;
        }
    }

    private static String printable(String text) {
        StringBuilder printable = new StringBuilder(text.length());
        text.codePoints().forEach(codePoint -> printable.appendCodePoint(isPrintable(codePoint) ? codePoint : '?'));
        return printable.toString();
    }

    private static boolean isPrintable(int codePoint) {
        return switch (Character.getType(codePoint)) {
            case Character.CONTROL,
                    Character.FORMAT,
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR,
                    Character.SURROGATE,
                    Character.UNASSIGNED -> false;
            default -> true;
        };
    }
}
