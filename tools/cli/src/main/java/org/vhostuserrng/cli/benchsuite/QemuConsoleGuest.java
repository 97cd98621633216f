package org.vhostuserrng.cli.benchsuite;

import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.vhostuserrng.cli.process.ChildProcessTerminator;

/**
 * A Linux guest under QEMU that executes commands from its console (tools/guest/init). {@link #close} terminates QEMU.
 */
final class QemuConsoleGuest implements AutoCloseable {
    private static final int BOOT_TIMEOUT_SECONDS = 600;
    private static final String READY = "GUEST ready";
    private static final String STATUS = "GUEST status ";

    private final Process qemu;
    private final BufferedReader console;
    private final Writer commands;

    private QemuConsoleGuest(Process qemu) {
        this.qemu = qemu;
        this.console = new BufferedReader(new InputStreamReader(qemu.getInputStream(), StandardCharsets.UTF_8));
        this.commands = new BufferedWriter(new OutputStreamWriter(qemu.getOutputStream(), StandardCharsets.UTF_8));
    }

    /** Boots a guest and waits until it accepts commands. */
    static QemuConsoleGuest boot(List<String> command) throws IOException, InterruptedException {
        Process qemu = new ProcessBuilder(command).redirectErrorStream(true).start();
        QemuConsoleGuest guest = new QemuConsoleGuest(qemu);
        try {
            guest.awaitLine(READY, BOOT_TIMEOUT_SECONDS);
            return guest;
        } catch (IOException | InterruptedException failed) {
            guest.close();
            throw failed;
        }
    }

    /**
     * Runs a command in the guest's shell.
     *
     * @return duration of the command in nanoseconds
     * @throws IOException if the command fails or does not end within the timeout
     */
    long run(String command, int timeoutSeconds) throws IOException, InterruptedException {
        long start = System.nanoTime();
        commands.write(command + "\n");
        commands.flush();
        String end = awaitLine(STATUS, timeoutSeconds);
        long nanos = System.nanoTime() - start;
        if (!end.equals(STATUS + "0")) {
            throw new IOException("'" + command + "' failed in the guest: " + end);
        }
        return nanos;
    }

    private String awaitLine(String beginning, int timeoutSeconds) throws IOException, InterruptedException {
        CompletableFuture<String> line = CompletableFuture.supplyAsync(() -> nextLineWith(beginning));
        try {
            return line.get(timeoutSeconds, TimeUnit.SECONDS);
        } catch (ExecutionException | TimeoutException failed) {
            qemu.destroyForcibly();
            throw new IOException("the guest did not print '" + beginning + "'", failed);
        }
    }

    /** Returns the next line that contains {@code beginning}, from there on. */
    private String nextLineWith(String beginning) {
        return console.lines()
                .filter(line -> line.contains(beginning))
                .findFirst()
                .map(line -> line.substring(line.indexOf(beginning)).strip())
                .orElseThrow(() -> new IllegalStateException("the guest's console was closed"));
    }

    @Override
    public void close() {
        ChildProcessTerminator.terminate(qemu);
    }
}
