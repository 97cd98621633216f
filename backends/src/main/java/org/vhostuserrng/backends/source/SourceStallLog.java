package org.vhostuserrng.backends.source;

import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Logs once that a source has had no bytes for some seconds although bytes were requested, and once that it has bytes
 * again. Logs this at most once a minute. A source that has failed is not silent, because it logs the reason, unless it
 * can be read again. Confined to the event loop's thread.
 */
final class SourceStallLog {
    /** Minimum duration of a silence that is logged. */
    static final long SILENCE_NANOS = TimeUnit.SECONDS.toNanos(5);
    /**
     * Maximum time between two requests of a waiting guest, which requests bytes again every second. After a longer
     * time, no guest has been waiting.
     */
    static final long MAX_PAUSE_NANOS = TimeUnit.SECONDS.toNanos(5);

    private static final Logger LOG = LoggerFactory.getLogger(SourceStallLog.class);
    private static final long LOG_INTERVAL_NANOS = TimeUnit.MINUTES.toNanos(1);

    private boolean silent;
    private long silentSince;
    private long askedAt;
    private boolean logged;
    private boolean everLogged;
    private long loggedAt;

    /** Returns whether the source had no bytes at the last request. */
    boolean isSilent() {
        return silent;
    }

    /** Whether the source has had no bytes for long enough, and a guest waits for them. */
    boolean isLong(long now) {
        return silent && now - silentSince >= SILENCE_NANOS && now - askedAt <= MAX_PAUSE_NANOS;
    }

    /** The source has no bytes now. Returns whether that must be logged. */
    boolean starved(long now) {
        if (!silent || now - askedAt > MAX_PAUSE_NANOS) {
            silent = true;
            silentSince = now;
        }
        askedAt = now;
        boolean muted = logged || (everLogged && now - loggedAt < LOG_INTERVAL_NANOS);
        if (muted || now - silentSince < SILENCE_NANOS) {
            return false;
        }
        logged = true;
        everLogged = true;
        loggedAt = now;
        return true;
    }

    /** Records that the source has failed, and has logged the reason. */
    void failed() {
        silent = false;
    }

    /** Records that the source has bytes. Returns whether to log this with {@link #logEnd}. */
    boolean served() {
        silent = false;
        boolean wasLogged = logged;
        logged = false;
        return wasLogged;
    }

    /** Logs the silence, after {@link #starved} has returned true. */
    void logSilence(Object name, EntropySource source) {
        String reason = source.starvationReason();
        LOG.warn(
                "{}: no bytes for {} s; guests wait or use a fallback{}",
                name,
                TimeUnit.NANOSECONDS.toSeconds(SILENCE_NANOS),
                reason.isEmpty() ? "" : " (" + reason + ")");
    }

    /** Logs the end of the silence, after {@link #served} has returned true. */
    void logEnd(Object name) {
        LOG.warn("{}: has bytes again", name);
    }
}
