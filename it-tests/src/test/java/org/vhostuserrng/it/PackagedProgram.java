package org.vhostuserrng.it;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** The program under test, run to its end. */
final class PackagedProgram {
    private static final String PROPERTY = "vhost-user-rng.program";
    private static final String BUILT = "../tools/target/dist/bin/vhost-user-rng";
    private static final long SECONDS_TO_END = 30;

    private PackagedProgram() {}

    /** What a run that ended left behind. */
    record Outcome(int status, String out, String err) {}

    static List<String> command(String... arguments) {
        Path program =
                Path.of(System.getProperty(PROPERTY, BUILT)).toAbsolutePath().normalize();
        if (!Files.isExecutable(program)) {
            throw new IllegalStateException("no program at " + program + ": build it or set " + PROPERTY);
        }
        List<String> command = new ArrayList<>();
        command.add(program.toString());
        command.addAll(List.of(arguments));
        return command;
    }

    /** Runs the program and waits for its end. */
    static Outcome run(String... arguments) throws IOException, InterruptedException {
        Path out = Files.createTempFile("vhost-user-rng", ".out");
        Path err = Files.createTempFile("vhost-user-rng", ".err");
        try {
            Process process = new ProcessBuilder(command(arguments))
                    .redirectOutput(out.toFile())
                    .redirectError(err.toFile())
                    .start();
            if (!process.waitFor(SECONDS_TO_END, TimeUnit.SECONDS)) {
                process.destroyForcibly().waitFor();
                throw new AssertionError("did not end: " + String.join(" ", arguments));
            }
            return new Outcome(process.exitValue(), read(out), read(err));
        } finally {
            Files.delete(out);
            Files.delete(err);
        }
    }

    private static String read(Path file) throws IOException {
        return Files.readString(file, StandardCharsets.UTF_8);
    }
}
