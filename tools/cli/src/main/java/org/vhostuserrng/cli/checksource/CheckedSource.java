package org.vhostuserrng.cli.checksource;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import org.vhostuserrng.backends.expression.KeyValueScanner;
import org.vhostuserrng.backends.expression.SourceExpressionParser;
import org.vhostuserrng.backends.source.EntropySource;
import org.vhostuserrng.backends.source.EntropySourceSpec;
import org.vhostuserrng.cli.source.TimeoutSourceReader;
import org.vhostuserrng.libc.NativePath;

/** The source that {@code check-source} tests: a source of the daemon, a path, or standard input. */
final class CheckedSource {
    static final String STANDARD_INPUT = "-";

    private static final String FILE = "file:";

    private final String text;
    /** Null for standard input. */
    private final EntropySourceSpec spec;

    private CheckedSource(String text, EntropySourceSpec spec) {
        this.text = text;
        this.spec = spec;
    }

    /**
     * Parses the SOURCE argument and probes the source.
     *
     * @throws IllegalArgumentException if the argument is invalid; the message is one line
     * @throws IOException if the source cannot be opened
     */
    static CheckedSource parse(String argument) throws IOException {
        if (argument.equals(STANDARD_INPUT)) {
            return new CheckedSource(argument, null);
        }
        String expression = isPath(argument) ? FILE + KeyValueScanner.quote(argument) : argument;
        return new CheckedSource(expression, untestedSource(expression));
    }

    /** Whether the argument is the path of a file rather than a source expression. */
    private static boolean isPath(String argument) {
        return argument.startsWith("/")
                || argument.startsWith("./")
                || argument.startsWith("../")
                || (!isExpression(argument) && Files.exists(NativePath.of(argument)));
    }

    private static boolean isExpression(String argument) {
        try {
            SourceExpressionParser.parse(argument);
            return true;
        } catch (IllegalArgumentException malformed) {
            return false;
        }
    }

    /** Returns the source without its own health tests, so that this command tests the raw samples. */
    private static EntropySourceSpec untestedSource(String expression) throws IOException {
        EntropySourceSpec parsed = SourceExpressionParser.parseUntested(expression);
        parsed.probe();
        return parsed;
    }

    /** Whether opening the source again returns new samples: false for standard input and a regular file. */
    boolean canRestart() {
        return spec != null && !isRegularFile();
    }

    /**
     * Opens the source. The reader of a regular file ends with the file; a source of the daemon would wait for more
     * bytes.
     */
    SampleReader open() throws IOException {
        if (spec == null) {
            return new StreamSampleReader(System.in);
        }
        return isRegularFile() ? new StreamSampleReader(Files.newInputStream(file())) : new SpecReader();
    }

    /** Returns the path of a {@code file:} source; an empty path for other sources. */
    Path file() {
        String path = text.startsWith(FILE) ? new KeyValueScanner(text.substring(FILE.length())).value() : "";
        return NativePath.of(path);
    }

    private boolean isRegularFile() {
        return text.startsWith(FILE) && Files.isRegularFile(file());
    }

    /** Returns the source as an expression; {@code -} for standard input. */
    @Override
    public String toString() {
        return text;
    }

    private final class SpecReader implements SampleReader {
        private final TimeoutSourceReader reader = new TimeoutSourceReader(spec, "check-source");

        @Override
        public int read(MemorySegment target, int length) throws InterruptedException {
            int read = reader.read(target, length);
            return read < EntropySource.WOULD_BLOCK ? FAILED : read;
        }

        @Override
        public void close() {
            reader.close();
        }
    }
}
