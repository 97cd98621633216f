package org.vhostuserrng.jmh;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** A C program that measures the same operation as a benchmark. The program is compiled from a resource. */
public final class CReferenceLoop implements AutoCloseable {
    private final Path directory;
    private final Path program;

    private CReferenceLoop(Path directory, Path program) {
        this.directory = directory;
        this.program = program;
    }

    /**
     * Compiles the resource {@code name}.c.
     *
     * @throws IOException if the program cannot be compiled, for example because there is no compiler
     */
    public static CReferenceLoop compile(String name, String... flags) throws IOException, InterruptedException {
        Path directory = Files.createTempDirectory("c-loop");
        CReferenceLoop loop = new CReferenceLoop(directory, directory.resolve(name));
        try (InputStream source = CReferenceLoop.class.getResourceAsStream(name + ".c")) {
            Path file = directory.resolve(name + ".c");
            Files.copy(source, file);
            List<String> command = new ArrayList<>(List.of("cc", "-O2"));
            command.addAll(Arrays.asList(flags));
            command.addAll(List.of("-o", loop.program.toString(), file.toString()));
            output(command);
            Files.delete(file);
            return loop;
        } catch (IOException | InterruptedException failed) {
            loop.close();
            throw failed;
        }
    }

    /** Runs the program, and returns the nanoseconds per buffer of {@code bytes} bytes. */
    public double nanos(String bytes) throws IOException, InterruptedException {
        return Double.parseDouble(output(List.of(program.toString(), bytes)));
    }

    private static String output(List<String> command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
        if (process.waitFor() != 0) {
            throw new IOException(command.getFirst() + ": " + output);
        }
        return output;
    }

    @Override
    public void close() throws IOException {
        try (var files = Files.list(directory)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        }
        Files.delete(directory);
    }
}
