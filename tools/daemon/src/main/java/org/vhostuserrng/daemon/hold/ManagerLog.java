package org.vhostuserrng.daemon.hold;

import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.vhostuserrng.libc.LogLineLimiter;

/** Log lines of the service manager. Those that any process can cause at any rate are limited. One thread. */
final class ManagerLog {
    static final int MAX_LINES_PER_MINUTE = 20;

    private final Consumer<String> out;
    private final LogLineLimiter limiter;

    /**
     * Creates a log.
     *
     * @param clock nanoseconds
     */
    ManagerLog(LongSupplier clock, Consumer<String> out) {
        this.out = out;
        this.limiter = new LogLineLimiter(MAX_LINES_PER_MINUTE, TimeUnit.MINUTES.toNanos(1), clock);
    }

    /** A line that is not caused by notifications. */
    void line(String text) {
        out.accept(text);
    }

    /** A line that a notification has caused. */
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
