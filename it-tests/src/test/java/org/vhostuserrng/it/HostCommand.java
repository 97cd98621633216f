package org.vhostuserrng.it;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** A short command with an environment and a directory of its own: a script of the repository, or the launcher. */
final class HostCommand {
    private HostCommand() {}

    /** What a command printed on stdout and stderr together, and how it ended. */
    record Outcome(int status, String output) {}

    static Path launcher() {
        return Path.of(PackagedProgram.command().getFirst());
    }

    static Path repository() {
        return Path.of("").toAbsolutePath().getParent();
    }

    static Outcome run(Map<String, String> environment, Path directory, List<String> command)
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
