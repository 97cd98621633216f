package org.vhostuserrng.cli.benchsuite;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.vhostuserrng.cli.process.ExecutableLookup;

/** Compiles the reference back-end, a minimal vhost-user entropy device in C. */
final class ReferenceBackendCompiler {
    private static final String SOURCE = "reference-backend.c";
    private static final List<String> COMPILERS = List.of("cc", "gcc", "clang");
    private static final int COMPILE_TIMEOUT_SECONDS = 600;

    private ReferenceBackendCompiler() {}

    /** Compiles the reference back-end and returns its path in the directory; empty if there is no C compiler. */
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
            throw new IOException(compiler.get() + " cannot compile " + SOURCE + ": " + Files.readString(log));
        }
        return Optional.of(program);
    }

    private static Optional<Path> compiler() {
        return COMPILERS.stream()
                .map(ExecutableLookup::find)
                .flatMap(Optional::stream)
                .findFirst();
    }
}
