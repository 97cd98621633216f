package org.vhostuserrng.daemon.hold;

import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.vhostuserrng.libc.LogLineLimiter;

/**
 * The log of the service manager. The rate of lines that other processes can cause is limited. Confined to one thread.
 */
final class ManagerLog {
    static final int MAX_LINES_PER_MINUTE = 20;

    private final Consumer<String> out;
    private final LogLineLimiter limiter;

    /**
     * Creates a log.
     *
     * @param clock returns the time in nanoseconds
     */
    ManagerLog(LongSupplier clock, Consumer<String> out) {
        this.out = out;
        this.limiter = new LogLineLimiter(MAX_LINES_PER_MINUTE, TimeUnit.MINUTES.toNanos(1), clock);
    }

    /** Writes a line that no notification has caused. */
    void line(String text) {
        out.accept(text);
    }

    /** Writes a line that a notification has caused, unless there were too many such lines within a minute. */
    void limited(String text) {
        long suppressed = limiter.takeSuppressed();
        if (suppressed > 0) {
            out.accept(suppressed + " lines about notifications were suppressed");
        }
        if (limiter.mayWrite()) {
            out.accept(text);
        }
    }
}
