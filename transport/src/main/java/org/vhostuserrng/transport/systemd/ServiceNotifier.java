package org.vhostuserrng.transport.systemd;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vhostuserrng.libc.ErrnoException;
import org.vhostuserrng.transport.sys.UnixDatagramSocket;

/**
 * Tells the service manager about the state of this service (sd_notify(3)). Without a service manager, all methods do
 * nothing. A notification that cannot be sent is logged and dropped; the first failure is logged as a warning. Confined
 * to one thread at a time.
 */
public final class ServiceNotifier implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ServiceNotifier.class);
    private static final String WATCHDOG_USEC = "WATCHDOG_USEC";
    private static final String WATCHDOG_PID = "WATCHDOG_PID";

    /** Null without a service manager. */
    private final UnixDatagramSocket socket;

    private final long watchdogTimeoutNanos;
    private boolean failureLogged;

    private ServiceNotifier(UnixDatagramSocket socket, long watchdogTimeoutNanos) {
        this.socket = socket;
        this.watchdogTimeoutNanos = watchdogTimeoutNanos;
    }

    /**
     * Opens the notifier of the service manager that started this process.
     *
     * @param environment the variables NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID
     * @param pid the ID of this process
     * @throws IOException with the variable, its value and the expected form, if a variable is malformed
     */
    public static ServiceNotifier open(Map<String, String> environment, long pid) throws IOException {
        UnixDatagramSocket serviceManager = NotifySocketAddress.open(environment);
        return new ServiceNotifier(serviceManager, serviceManager == null ? 0 : watchdogTimeoutNanos(environment, pid));
    }

    private static long watchdogTimeoutNanos(Map<String, String> environment, long pid) throws IOException {
        String micros = environment.get(WATCHDOG_USEC);
        // sd_watchdog_enabled(3): WATCHDOG_PID names the process that has to send the notifications.
        if (micros == null
                || !environment.getOrDefault(WATCHDOG_PID, Long.toString(pid)).equals(Long.toString(pid))) {
            return 0;
        }
        try {
            long timeout = Long.parseLong(micros);
            if (timeout > 0) {
                return TimeUnit.MICROSECONDS.toNanos(timeout);
            }
        } catch (NumberFormatException notANumber) {
            // Reported below.
        }
        throw new IOException(WATCHDOG_USEC + "='" + micros + "': expected a positive number of microseconds");
    }

    /** Time after which the service manager considers this service hung, in nanoseconds; 0 without a watchdog. */
    public long watchdogTimeoutNanos() {
        return watchdogTimeoutNanos;
    }

    /** The service has started. */
    public void ready(String status) {
        send("READY=1\nSTATUS=" + status);
    }

    /**
     * The service reloads its configuration.
     *
     * @param monotonicMicros the time by CLOCK_MONOTONIC
     */
    public void reloading(long monotonicMicros) {
        send("RELOADING=1\nMONOTONIC_USEC=" + monotonicMicros);
    }

    /** The service has reloaded its configuration, or failed to. */
    public void reloaded() {
        send("READY=1");
    }

    /** The service is shutting down. */
    public void stopping() {
        send("STOPPING=1\nSTATUS=stopping");
    }

    /** The service is alive. To be called more often than every {@link #watchdogTimeoutNanos}. */
    public void watchdog() {
        send("WATCHDOG=1");
    }

    private void send(String state) {
        if (socket == null) {
            return;
        }
        try {
            socket.send(state.getBytes(StandardCharsets.UTF_8));
        } catch (ErrnoException failure) {
            if (!failureLogged) {
                failureLogged = true;
                LOG.warn("cannot notify the service manager: {}", failure.getMessage());
            }
        }
    }

    @Override
    public void close() {
        if (socket != null) {
            socket.close();
        }
    }
}
