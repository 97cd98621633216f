package org.vhostuserrng.cli.benchsuite;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** The plain back-end in C that the others are measured against, compiled where there is a compiler. */
final class ReferenceBackendCompiler {
    private static final String SOURCE = "reference-backend.c";
    private static final List<String> COMPILERS = List.of("cc", "gcc", "clang");
    private static final int COMPILE_TIMEOUT_SECONDS = 60;

    private ReferenceBackendCompiler() {}

    /** Compiles it into a directory; nothing if there is no compiler. */
    static Optional<Path> compile(Path directory) throws IOException, InterruptedException {
        Optional<Path> compiler = compiler();
        if (compiler.isEmpty()) {
            return Optional.empty();
        }
        Path source = directory.resolve(SOURCE);
        try (InputStream text = ReferenceBackendCompiler.class.getResourceAsStream(SOURCE)) {
            Files.copy(text, source);
        }
        Path program = directory.resolve("reference-backend");
        Path log = directory.resolve("compiler.log");
        Process process = new ProcessBuilder(
                        compiler.get().toString(), "-O2", "-o", program.toString(), source.toString())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        if (!process.waitFor(COMPILE_TIMEOUT_SECONDS, TimeUnit.SECONDS) || process.exitValue() != 0) {
            process.destroyForcibly();
            throw new IOException(compiler.get() + " does not compile " + SOURCE + ": " + Files.readString(log));
        }
        return Optional.of(program);
    }

    private static Optional<Path> compiler() {
        return COMPILERS.stream()
                .map(ReferenceBackendCompiler::onPath)
                .flatMap(Optional::stream)
                .findFirst();
    }

    /** The program that a shell would run. */
    static Optional<Path> onPath(String program) {
        String path = System.getenv().getOrDefault("PATH", "");
        return Stream.of(path.split(":", -1))
                .map(directory -> Path.of(directory, program))
                .filter(Files::isExecutable)
                .findFirst();
    }
}
