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
 * Notifies the service manager of the state of this service (sd_notify(3)). Without a service manager, all methods do
 * nothing. A notification that cannot be sent is dropped; the first failure is logged as a warning. Confined to one
 * thread at a time.
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
     * @throws IOException if a variable is malformed; the message has the variable, its value and the expected form
     */
    public static ServiceNotifier open(Map<String, String> environment, long pid) throws IOException {
        UnixDatagramSocket serviceManager = NotifySocketAddress.open(environment);
        return new ServiceNotifier(serviceManager, serviceManager == null ? 0 : watchdogTimeoutNanos(environment, pid));
    }

    private static long watchdogTimeoutNanos(Map<String, String> environment, long pid) throws IOException {
        String micros = environment.get(WATCHDOG_USEC);
        // sd_watchdog_enabled(3): WATCHDOG_PID is the process that must send the notifications.
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

    /**
     * The time without a {@link #watchdog} notification after which the service manager considers this service hung, in
     * nanoseconds; 0 without a watchdog.
     */
    public long watchdogTimeoutNanos() {
        return watchdogTimeoutNanos;
    }

    /**
     * Notifies that the service has started.
     *
     * @param status a line that describes the state of the service to users
     */
    public void ready(String status) {
        send("READY=1\nSTATUS=" + status);
    }

    /**
     * Notifies that the service begins to reload its configuration.
     *
     * @param monotonicMicros the time by CLOCK_MONOTONIC, in microseconds
     */
    public void reloading(long monotonicMicros) {
        send("RELOADING=1\nMONOTONIC_USEC=" + monotonicMicros);
    }

    /** Notifies that the reload has ended, with or without success. */
    public void reloaded() {
        send("READY=1");
    }

    /** Notifies that the service is shutting down. */
    public void stopping() {
        send("STOPPING=1\nSTATUS=stopping");
    }

    /** Notifies that the service is alive. Must be called more often than every {@link #watchdogTimeoutNanos}. */
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
