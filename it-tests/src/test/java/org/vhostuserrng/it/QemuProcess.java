package org.vhostuserrng.it;

import static org.junit.jupiter.api.Assertions.fail;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/** A Linux guest under QEMU: tools/guest/run, whose console says what the guest saw. */
final class QemuProcess implements AutoCloseable {
    private final Process process;
    private final Path directory;
    private final DaemonProcess daemon;

    private QemuProcess(Process process, Path directory, DaemonProcess daemon) {
        this.process = process;
        this.directory = directory;
        this.daemon = daemon;
    }

    static QemuProcess boot(DaemonProcess daemon, String steps) throws IOException {
        Path directory = Files.createTempDirectory("guest");
        ProcessBuilder builder = new ProcessBuilder(
                        GuestImageScripts.DIRECTORY.resolve("run").toString(),
                        daemon.socket().toString(),
                        steps)
                .redirectOutput(directory.resolve("console").toFile())
                .redirectError(directory.resolve("qemu").toFile());
        builder.environment().put("VHOST_USER_RNG_INSTALL", "no");
        return new QemuProcess(builder.start(), directory, daemon);
    }

    boolean isRunning() {
        return process.isAlive();
    }

    /** Waits until the guest has gone through its steps and powered off. */
    void awaitEnd(Duration limit) throws IOException, InterruptedException {
        if (!process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
            fail("the guest did not end within " + limit + logs());
        }
        if (process.exitValue() != 0 || !console().contains("GUEST done")) {
            fail("the guest did not come to its end, QEMU's status " + process.exitValue() + logs());
        }
        if (console().contains("GUEST error")) {
            fail("the guest saw an error" + logs());
        }
    }

    /** What follows the name on the guest's line of that name. */
    String said(String name) throws IOException {
        String prefix = "GUEST " + name + " ";
        return console()
                .lines()
                .filter(line -> line.startsWith(prefix))
                .findFirst()
                .map(line -> line.substring(prefix.length()).strip())
                .orElseGet(() -> fail("the guest said nothing of " + name + logs()));
    }

    /** A KEY=VALUE word on the guest's line of that name. */
    long number(String name, String key) throws IOException {
        String line = said(name);
        for (String word : line.split(" ", -1)) {
            if (word.startsWith(key + "=")) {
                return Long.parseLong(word.substring(key.length() + 1));
            }
        }
        return fail("no " + key + " in: " + line + logs());
    }

    byte[] sample() throws IOException {
        String encoded = console()
                .lines()
                .dropWhile(line -> !line.equals("GUEST sample-begin"))
                .skip(1)
                .takeWhile(line -> !line.equals("GUEST sample-end"))
                .collect(Collectors.joining());
        return Base64.getDecoder().decode(encoded);
    }

    /** For the message of an assertion: everything that helps to understand why it failed. */
    String logs() {
        return "\n---- guest's console\n" + read("console") + "\n---- QEMU's stderr\n" + read("qemu")
                + "\n---- daemon\n" + daemonLog();
    }

    private String daemonLog() {
        try {
            return daemon.log();
        } catch (IOException e) {
            return e.toString();
        }
    }

    private String read(String file) {
        try {
            return Files.readString(directory.resolve(file), StandardCharsets.ISO_8859_1);
        } catch (IOException e) {
            return e.toString();
        }
    }

    private String console() throws IOException {
        return Files.readString(directory.resolve("console"), StandardCharsets.ISO_8859_1)
                .replace("\r", "");
    }

    @Override
    public void close() throws IOException {
        process.destroyForcibly().onExit().join();
        Files.delete(directory.resolve("console"));
        Files.delete(directory.resolve("qemu"));
        Files.delete(directory);
    }
}
