package org.vhostuserrng.it.program;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Where the packaged program and the repository are, and a way to run a short command of theirs. */
public final class Program {
    private static final Path MODULE = Path.of("").toAbsolutePath();

    private Program() {}

    /** What a command printed on stdout and stderr together, and how it ended. */
    public record Outcome(int status, String output) {}

    public static Path launcher() {
        String path = System.getProperty("vhost-user-rng.program", "../tools/target/dist/bin/vhost-user-rng");
        return MODULE.resolve(path).normalize();
    }

    public static Path repository() {
        return MODULE.getParent();
    }

    public static Outcome run(Map<String, String> environment, Path directory, List<String> command)
            throws IOException, InterruptedException {
        Path output = Files.createTempFile("command", ".out");
        try {
            ProcessBuilder builder = new ProcessBuilder(new ArrayList<>(command))
                    .directory(directory.toFile())
                    .redirectErrorStream(true)
                    .redirectOutput(output.toFile());
            environment.forEach((name, value) -> {
                if (value.isEmpty()) {
                    builder.environment().remove(name);
                } else {
                    builder.environment().put(name, value);
                }
            });
            Process process = builder.start();
            process.getOutputStream().close();
            if (!process.waitFor(5, TimeUnit.MINUTES)) {
                process.destroyForcibly().waitFor();
                throw new IOException(command + " did not end; it printed " + Files.readString(output));
            }
            return new Outcome(process.exitValue(), Files.readString(output));
        } finally {
            Files.delete(output);
        }
    }
}
