package org.vhostuserrng.daemon;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vhostuserrng.daemon.log.LogThreshold;
import org.vhostuserrng.libc.LogLineLimiter;
import org.vhostuserrng.transport.systemd.ServiceNotifier;
import org.vhostuserrng.transport.vhostuser.server.VhostUserServer;

/**
 * Reads the settings again and applies all changes, or none. A separate thread reads the files and probes the sources;
 * the changes are applied on the event loop's thread between two requests.
 */
final class SettingsReloader {
    private static final Logger LOG = LoggerFactory.getLogger(SettingsReloader.class);

    private static final int MAX_LINES_PER_MINUTE = 10;

    /** Reads the settings, given those in force. May block. */
    @FunctionalInterface
    interface SettingsReader {
        DaemonSettings read(DaemonSettings running) throws BadUsageException;
    }

    private final SettingsReader reader;
    private final VhostUserServer server;
    private final RngGuests guests;
    private final ServiceNotifier serviceManager;

    private final DaemonSettings started;

    // Confined to the event loop's thread.
    private DaemonSettings inForce;
    private List<String> pendingRestart = List.of();
    private boolean reading;
    /** Whether another reload was requested after this one had begun to read. */
    private boolean again;
    /** The clients of this reload. Called with null, or with the reason of a failure. */
    private List<Consumer<String>> clients = List.of();

    /** The clients of the next reload. */
    private final List<Consumer<String>> nextClients = new ArrayList<>();
    /** Null if the last reload has succeeded, or there was none. */
    private String lastFailure;

    private final LogLineLimiter lines =
            new LogLineLimiter(MAX_LINES_PER_MINUTE, TimeUnit.MINUTES.toNanos(1), System::nanoTime);

    SettingsReloader(
            SettingsReader reader,
            DaemonSettings inForce,
            VhostUserServer server,
            RngGuests guests,
            ServiceNotifier serviceManager) {
        this.reader = reader;
        this.started = inForce;
        this.inForce = inForce;
        this.server = server;
        this.guests = guests;
        this.serviceManager = serviceManager;
    }

    /** Starts to reload the settings; the result is logged. May be called by any thread. */
    void reload() {
        server.execute(this::begin);
    }

    /**
     * Starts to reload the settings; the result is logged. Must be called on the event loop's thread.
     *
     * @param onDone called on the event loop's thread: with null after success, otherwise with the reason why nothing
     *     has changed
     */
    void reload(Consumer<String> onDone) {
        nextClients.add(onDone);
        begin();
    }

    /** Why the last reload has changed nothing; null if it succeeded, or there was none. The loop's thread. */
    String lastFailure() {
        return lastFailure;
    }

    /** The settings of the last reload that take effect only after a restart. The loop's thread. */
    List<String> pendingRestart() {
        return pendingRestart;
    }

    /** The settings of the start, or of the last reload that succeeded. The loop's thread. */
    DaemonSettings inForce() {
        return inForce;
    }

    private void begin() {
        if (reading) {
            // The files may have changed after they were read.
            again = true;
            return;
        }
        reading = true;
        clients = List.copyOf(nextClients);
        nextClients.clear();
        serviceManager.reloading(TimeUnit.NANOSECONDS.toMicros(System.nanoTime()));
        DaemonSettings running = inForce;
        Thread.ofPlatform().daemon().name("reload").start(() -> read(running));
    }

    private void read(DaemonSettings running) {
        DaemonSettings read = null;
        String failure = null;
        try {
            read = reader.read(running);
        } catch (BadUsageException bad) {
            failure = bad.getMessage();
        } catch (RuntimeException bug) {
            LOG.error("bug in vhost-user-rng: reading the settings failed", bug);
            failure = "bug in vhost-user-rng: " + bug;
        }
        DaemonSettings next = read;
        String reason = failure;
        server.execute(() -> finish(next, reason));
    }

    private void finish(DaemonSettings next, String readFailure) {
        reading = false;
        String failure = readFailure == null ? apply(next) : readFailure;
        lastFailure = failure;
        logResult(failure);
        serviceManager.reloaded();
        clients.forEach(callback -> callback.accept(failure));
        if (again) {
            again = false;
            begin();
        }
    }

    private void logResult(String failure) {
        long suppressed = lines.takeSuppressed();
        if (suppressed > 0) {
            LOG.info("reloads: {} more lines suppressed", suppressed);
        }
        if (!lines.mayWrite()) {
            return;
        }
        if (failure == null) {
            LOG.info("settings reloaded; guests: {}", guests.all().size());
        } else {
            LOG.error("reload failed, nothing has changed: {}", failure);
        }
    }

    /** Applies settings. Returns null after success, otherwise the reason why nothing has changed. */
    private String apply(DaemonSettings next) {
        // Sets keep this short for thousands of guests: no guest is served meanwhile.
        Set<Object> before = identities(inForce.endpoints().stream());
        Set<Object> after = identities(next.endpoints().stream());
        Set<Object> served = identities(guests.all().stream().map(RngGuest::socket));
        List<RngGuest> removed = guests.all().stream()
                .filter(guest -> before.contains(guest.socket().identity())
                        && !after.contains(guest.socket().identity()))
                .toList();
        Set<String> removedNames = removed.stream().map(RngGuest::name).collect(Collectors.toSet());
        List<RngGuest> added = new ArrayList<>();
        try {
            for (RngEndpoint socket : next.endpoints()) {
                if (!served.contains(socket.identity())) {
                    GuestRateLimiterSettings limits = next.rateLimits().forGuest(socket.guestName());
                    added.add(
                            removedNames.contains(socket.guestName())
                                    ? guests.addUncounted(socket, limits)
                                    : guests.add(socket, limits));
                }
            }
        } catch (IOException | BadUsageException | RuntimeException refused) {
            added.forEach(guests::remove);
            return refused.getMessage();
        }
        // From here on nothing can fail, so that the settings are applied completely.
        removed.forEach(guests::remove);
        added.forEach(guests::count);
        guests.scheduler().setTotal(guests.now(), next.rateLimits().total());
        for (RngGuest guest : guests.all()) {
            if (after.contains(guest.socket().identity())) {
                guests.setLimits(guest, next.rateLimits().forGuest(guest.name()));
            }
        }
        guests.setSources(next::source);
        LogThreshold.set(next.logLevel());
        logWhatNeedsARestart(next);
        inForce = next;
        return null;
    }

    private void logWhatNeedsARestart(DaemonSettings next) {
        pendingRestart = RestartRequiredSettings.pending(started, next, guests.all());
        if (!pendingRestart.isEmpty()) {
            LOG.warn("take effect after a restart: {}", String.join(", ", pendingRestart));
        }
    }

    private static Set<Object> identities(Stream<RngEndpoint> sockets) {
        return sockets.map(RngEndpoint::identity).collect(Collectors.toSet());
    }
}
