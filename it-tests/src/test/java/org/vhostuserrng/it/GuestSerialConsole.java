package org.vhostuserrng.it;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A guest's serial line: what tools/guest/init says on it, and the commands that it takes from it. One thread of the
 * test uses it; another one collects what comes.
 */
final class GuestSerialConsole implements AutoCloseable {
    /** Emulated guests on a busy machine take their time. */
    static final Duration PATIENCE = Duration.ofMinutes(2);

    private static final Pattern STATUS = Pattern.compile("GUEST status (\\d+)\n");

    private final SocketChannel line;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition more = lock.newCondition();
    private final StringBuilder text = new StringBuilder();
    private boolean ended;
    /** How much of the text has been taken note of. */
    private int position;

    private GuestSerialConsole(SocketChannel line) {
        this.line = line;
    }

    static GuestSerialConsole over(SocketChannel line) {
        GuestSerialConsole console = new GuestSerialConsole(line);
        Thread.ofVirtual().name("console").start(console::collect);
        return console;
    }

    private void collect() {
        ByteBuffer buffer = ByteBuffer.allocate(1 << 16);
        try {
            while (line.read(buffer.clear()) >= 0) {
                append(StandardCharsets.ISO_8859_1.decode(buffer.flip()).toString());
            }
        } catch (IOException closed) {
            append("\n[the console ended: " + closed + "]\n");
        }
        end();
    }

    private void append(String part) {
        lock.lock();
        try {
            text.append(part.replace("\r", ""));
            more.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private void end() {
        lock.lock();
        try {
            ended = true;
            more.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Waits until the guest has booted and takes commands. */
    void awaitReady() throws InterruptedException {
        await(Pattern.compile("GUEST ready\n"), PATIENCE);
    }

    /** Runs a command of the guest's shell that succeeds, and gives what it printed. */
    String run(String command) throws IOException, InterruptedException {
        return run(command, PATIENCE);
    }

    String run(String command, Duration limit) throws IOException, InterruptedException {
        send(command);
        return awaitStatus(command, limit);
    }

    /** The end of a command that was sent. */
    String awaitStatus(String command, Duration limit) throws InterruptedException {
        int start = position;
        MatchResult status = await(STATUS, limit);
        String output = text().substring(start, status.start());
        if (!status.group(1).equals("0")) {
            throw new AssertionError("status " + status.group(1) + " of " + command + ": " + output);
        }
        return output.strip();
    }

    /** Starts a command and does not wait for its end. */
    void send(String command) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap((command + "\n").getBytes(StandardCharsets.US_ASCII));
        while (bytes.hasRemaining()) {
            line.write(bytes);
        }
    }

    /** A KEY=VALUE number on the line that starts with GUEST and the name, in what a command printed. */
    static long number(String output, String name, String key) {
        Matcher matcher = Pattern.compile("(?m)^GUEST " + name + " .*\\b" + key + "=(\\d+)")
                .matcher(output);
        if (!matcher.find()) {
            throw new AssertionError("no " + key + " of " + name + " in: " + output);
        }
        return Long.parseLong(matcher.group(1));
    }

    /** So many bytes of /dev/hwrng. */
    byte[] sample(int bytes) throws IOException, InterruptedException {
        List<String> lines = run("sample " + bytes).lines().toList();
        int begin = lines.indexOf("GUEST sample-begin");
        int end = lines.indexOf("GUEST sample-end");
        return Base64.getDecoder().decode(String.join("", lines.subList(begin + 1, end)));
    }

    /** Waits for what the guest has not said before the last thing that was waited for. */
    MatchResult await(Pattern pattern, Duration limit) throws InterruptedException {
        long nanos = limit.toNanos();
        lock.lock();
        try {
            Matcher matcher = pattern.matcher(text);
            while (!matcher.find(position)) {
                if (ended || nanos <= 0) {
                    throw new AssertionError("the guest " + (ended ? "ended" : "was silent for " + limit)
                            + " and never said " + pattern + ", after: " + text.substring(position));
                }
                nanos = more.awaitNanos(nanos);
                matcher = pattern.matcher(text);
            }
            position = matcher.end();
            return matcher.toMatchResult();
        } finally {
            lock.unlock();
        }
    }

    /** Everything that was said. */
    String text() {
        lock.lock();
        try {
            return text.toString();
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void close() throws IOException {
        line.close();
    }
}
