package org.vhostuserrng.cli.doctor;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Runs programs as child processes without input. */
final class ChildProcessCommands implements HostCommands {
    private static final int TIMEOUT_SECONDS = 30;
    private static final int MAX_OUTPUT_BYTES = 16 << 20;

    @Override
    public Optional<Output> run(String... command) throws InterruptedException {
        Process process;
        try {
            process = new ProcessBuilder(command)
                    .redirectInput(Redirect.from(new File("/dev/null")))
                    .start();
        } catch (IOException missing) {
            return Optional.empty();
        }
        try {
            CompletableFuture<String> stdout = CompletableFuture.supplyAsync(() -> read(process.getInputStream()));
            CompletableFuture<String> stderr = CompletableFuture.supplyAsync(() -> read(process.getErrorStream()));
            String text = stdout.get(TIMEOUT_SECONDS, TimeUnit.SECONDS);
            String errors = stderr.get(TIMEOUT_SECONDS, TimeUnit.SECONDS);
            return process.waitFor(TIMEOUT_SECONDS, TimeUnit.SECONDS)
                    ? Optional.of(new Output(process.exitValue(), text, errors))
                    : Optional.empty();
        } catch (TimeoutException | ExecutionException unavailable) {
            return Optional.empty();
        } finally {
            process.destroyForcibly();
        }
    }

    private static String read(InputStream stream) {
        try {
            return new String(stream.readNBytes(MAX_OUTPUT_BYTES), StandardCharsets.UTF_8);
        } catch (IOException closed) {
            throw new UncheckedIOException(closed);
        }
    }
}
