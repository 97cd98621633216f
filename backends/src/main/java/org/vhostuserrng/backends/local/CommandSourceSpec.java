package org.vhostuserrng.backends.local;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.vhostuserrng.backends.readahead.BlockingEntropySource;
import org.vhostuserrng.backends.readahead.NoiseSourceOptions;
import org.vhostuserrng.backends.readahead.ReadAheadSourceSpec;
import org.vhostuserrng.libc.NativePath;

/** The source {@code command:PROGRAM ARGUMENTS}: the output of a program, which is started when a guest needs it. */
public final class CommandSourceSpec extends ReadAheadSourceSpec {
    /** The keyword in an expression. */
    public static final String PREFIX = "command:";

    /**
     * The default min-entropy in bits per byte. It is low, because the origin of the bytes is unknown, but the health
     * tests still detect a program that is stuck or repeats itself.
     */
    private static final double DEFAULT_MIN_ENTROPY = 0.25;

    private final String commandLine;
    private final List<String> words;

    private CommandSourceSpec(String commandLine, List<String> words, NoiseSourceOptions options) {
        super(options);
        this.commandLine = commandLine;
        this.words = words;
    }

    /**
     * Parses the part of an expression after {@link #PREFIX}.
     *
     * @throws IllegalArgumentException if the command line contains no program, or if its quoting is invalid
     */
    public static CommandSourceSpec of(String commandLine, NoiseSourceOptions options) {
        List<String> words = ShellWords.split(commandLine);
        if (words.isEmpty() || words.getFirst().isEmpty()) {
            throw new IllegalArgumentException("expected command:PROGRAM ARGUMENTS");
        }
        return new CommandSourceSpec(commandLine, words, options);
    }

    @Override
    public String toString() {
        return PREFIX + commandLine;
    }

    /** {@inheritDoc} Looks up the program, but does not start it. */
    @Override
    public void probe() throws IOException {
        super.probe();
        openBlocking().close();
        String program = words.getFirst();
        if (!isExecutable(program)) {
            throw new IOException("no executable program " + program + (program.indexOf('/') < 0 ? " in PATH" : "")
                    + ", expected command:PROGRAM ARGUMENTS");
        }
    }

    private static boolean isExecutable(String program) {
        String path = System.getenv("PATH");
        if (program.indexOf('/') >= 0) {
            return isExecutableFile("", program);
        }
        // If PATH is not set, posix_spawnp(3) searches these directories.
        for (String directory : (path == null ? "/bin:/usr/bin" : path).split(":", -1)) {
            if (isExecutableFile(directory, program)) {
                return true;
            }
        }
        return false;
    }

    private static boolean isExecutableFile(String directory, String program) {
        Path file = NativePath.of(directory).resolve(NativePath.of(program));
        return Files.isExecutable(file) && !Files.isDirectory(file);
    }

    @Override
    protected double defaultMinEntropy() {
        return DEFAULT_MIN_ENTROPY;
    }

    /** Creates the source without starting the program, which the first read starts. */
    @Override
    protected BlockingEntropySource openBlocking() {
        return new CommandSource(toString(), words, System::nanoTime);
    }
}
