package org.vhostuserrng.daemon.log;

import java.io.Serial;
import org.slf4j.Marker;
import org.slf4j.event.Level;
import org.slf4j.helpers.AbstractLogger;
import org.slf4j.helpers.LegacyAbstractLogger;
import org.slf4j.helpers.MessageFormatter;

/**
 * Writes lines {@code LEVEL message} to standard error. No time: the journal adds its own, and formatting the first
 * date takes 20 ms of the start. Any thread.
 */
final class DaemonLogger extends LegacyAbstractLogger {
    @Serial
    private static final long serialVersionUID = 1;

    private static final Object WRITE_LOCK = new Object();

    /** Null if {@link LogThreshold} applies. */
    private final Level own;

    DaemonLogger(String name) {
        this.name = name;
        this.own = LogThreshold.ofLogger(name);
    }

    private boolean includes(Level level) {
        return own == null ? LogThreshold.includes(level) : level.toInt() >= own.toInt();
    }

    @Override
    protected void handleNormalizedLoggingCall(
            Level level, Marker marker, String pattern, Object[] arguments, Throwable throwable) {
        String line = level + " " + MessageFormatter.basicArrayFormat(pattern, arguments);
        // The lines of a stack trace follow theirs.
        synchronized (WRITE_LOCK) {
            System.err.println(line);
            if (throwable != null) {
                throwable.printStackTrace(System.err);
            }
        }
    }

    @Override
    protected String getFullyQualifiedCallerName() {
        return AbstractLogger.class.getName();
    }

    @Override
    public boolean isTraceEnabled() {
        return includes(Level.TRACE);
    }

    @Override
    public boolean isDebugEnabled() {
        return includes(Level.DEBUG);
    }

    @Override
    public boolean isInfoEnabled() {
        return includes(Level.INFO);
    }

    @Override
    public boolean isWarnEnabled() {
        return includes(Level.WARN);
    }

    @Override
    public boolean isErrorEnabled() {
        return includes(Level.ERROR);
    }
}
