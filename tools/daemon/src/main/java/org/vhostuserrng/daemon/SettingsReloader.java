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
import org.vhostuserrng.transport.systemd.ServiceNotifier;
import org.vhostuserrng.transport.vhostuser.server.VhostUserServer;

/**
 * Reads the settings again and applies all changes, or none. A separate thread reads the files and probes the sources;
 * the changes are applied on the event loop's thread between two requests.
 */
final class SettingsReloader {
    private static final Logger LOG = LoggerFactory.getLogger(SettingsReloader.class);

    /** Reads the settings. May block. */
    @FunctionalInterface
    interface SettingsReader {
        DaemonSettings read(DaemonSettings running) throws BadUsageException;
    }

    private final SettingsReader reader;
    private final VhostUserServer server;
    private final RngGuests guests;
    private final ServiceNotifier serviceManager;

    // Confined to the event loop's thread.
    private DaemonSettings inForce;
    private boolean reading;
    /**
     * Callbacks of the reload that is running; called with null after success, otherwise with the reason of the
     * failure.
     */
    private final List<Consumer<String>> waiting = new ArrayList<>();

    SettingsReloader(
            SettingsReader reader,
            DaemonSettings inForce,
            VhostUserServer server,
            RngGuests guests,
            ServiceNotifier serviceManager) {
        this.reader = reader;
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
        waiting.add(onDone);
        begin();
    }

    private void begin() {
        if (!reading) {
            reading = true;
            serviceManager.reloading(TimeUnit.NANOSECONDS.toMicros(System.nanoTime()));
            DaemonSettings running = inForce;
            Thread.ofPlatform().daemon().name("reload").start(() -> read(running));
        }
    }

    private void read(DaemonSettings running) {
        DaemonSettings read = null;
        String failure = null;
        try {
            read = reader.read(running);
        } catch (BadUsageException bad) {
            failure = bad.getMessage();
        } catch (RuntimeException bug) {
            LOG.error("a bug in reading the settings", bug);
            failure = "a bug: " + bug;
        }
        DaemonSettings next = read;
        String reason = failure;
        server.execute(() -> finish(next, reason));
    }

    private void finish(DaemonSettings next, String readFailure) {
        reading = false;
        String failure = readFailure == null ? apply(next) : readFailure;
        if (failure == null) {
            LOG.info("settings reloaded; guests: {}", guests.all().size());
        } else {
            LOG.error("reload failed, nothing has changed: {}", failure);
        }
        serviceManager.reloaded();
        List<Consumer<String>> done = List.copyOf(waiting);
        waiting.clear();
        done.forEach(callback -> callback.accept(failure));
    }

    /** Applies settings. Returns null after success, otherwise the reason why nothing has changed. */
    private String apply(DaemonSettings next) {
        // Sets keep this short for thousands of guests: no guest is served meanwhile.
        Set<Object> before = identities(inForce.endpoints().stream());
        Set<Object> after = identities(next.endpoints().stream());
        Set<Object> served = identities(guests.all().stream().map(RngGuest::socket));
        List<RngGuest> added = new ArrayList<>();
        try {
            for (RngEndpoint socket : next.endpoints()) {
                if (!served.contains(socket.identity())) {
                    added.add(guests.add(socket, next.rateLimits().forGuest(socket.guestName())));
                }
            }
        } catch (IOException | BadUsageException | RuntimeException refused) {
            added.forEach(guests::remove);
            return refused.getMessage();
        }
        // From here on nothing can fail, so that the settings are applied completely.
        for (RngGuest guest : guests.all()) {
            Object socket = guest.socket().identity();
            if (before.contains(socket) && !after.contains(socket)) {
                guests.remove(guest);
            }
        }
        guests.scheduler().setTotal(guests.now(), next.rateLimits().total());
        for (RngGuest guest : guests.all()) {
            if (after.contains(guest.socket().identity())) {
                guests.setLimits(guest, next.rateLimits().forGuest(guest.name()));
            }
        }
        guests.setSources(next::source);
        if (!next.features().equals(inForce.features())
                || !next.sessionOptions().equals(inForce.sessionOptions())) {
            LOG.warn("features and restrictions of sessions have changed; they take effect after a restart");
        }
        Set<RngEndpoint> unchanged = Set.copyOf(next.endpoints());
        for (RngGuest guest : guests.all()) {
            if (after.contains(guest.socket().identity()) && !unchanged.contains(guest.socket())) {
                LOG.warn("{}: the permissions of its socket take effect after a restart", guest.name());
            }
        }
        inForce = next;
        return null;
    }

    private static Set<Object> identities(Stream<RngEndpoint> sockets) {
        return sockets.map(RngEndpoint::identity).collect(Collectors.toSet());
    }
}
