package org.vhostuserrng.daemon;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vhostuserrng.backends.limiter.DeficitRoundRobin;
import org.vhostuserrng.backends.limiter.GuestRateLimiter;
import org.vhostuserrng.backends.source.EntropySourceSpec;
import org.vhostuserrng.backends.source.SharedSourceSpec;
import org.vhostuserrng.backends.source.SourceRegistry;
import org.vhostuserrng.device.rng.RequestScratchMemory;
import org.vhostuserrng.device.rng.RngDeviceFeatures;
import org.vhostuserrng.device.rng.VirtioRngDevice;
import org.vhostuserrng.libc.NativePath;
import org.vhostuserrng.transport.vhostuser.server.VhostUserServer;

/**
 * The guests of this daemon, and the objects that their devices share. Adds, changes and removes guests while other
 * guests are served. Confined to the event loop's thread.
 */
final class RngGuests {
    private static final Logger LOG = LoggerFactory.getLogger(RngGuests.class);

    /** Guests that are named when their source changes. */
    private static final int MAX_NAMED = 10;

    private final VhostUserServer server;
    private final SourceRegistry sources;
    private final DeficitRoundRobin scheduler;
    private final RngDeviceFeatures features;
    private final DaemonCounters counters;
    private final RequestScratchMemory scratch = new RequestScratchMemory();
    private final List<RngGuest> guests = new ArrayList<>();
    private final Map<Path, RngGuest> byListeningPath = new HashMap<>();
    private final Set<RngGuest> drained = new HashSet<>();

    RngGuests(
            VhostUserServer server,
            SourceRegistry sources,
            DeficitRoundRobin scheduler,
            RngDeviceFeatures features,
            DaemonCounters counters) {
        this.server = server;
        this.sources = sources;
        this.scheduler = scheduler;
        this.features = features;
        this.counters = counters;
    }

    /** Returns all guests, in the order in which they were added. */
    List<RngGuest> all() {
        return List.copyOf(guests);
    }

    /** Returns the number of guests whose sessions can be kept in the service manager's store. */
    int storableCount() {
        return (int)
                guests.stream().filter(guest -> guest.socket().isStorable()).count();
    }

    /**
     * Returns the guest with a name.
     *
     * @throws ControlException if no guest or more than one guest has this name
     */
    RngGuest named(String name) throws ControlException {
        List<RngGuest> found =
                guests.stream().filter(guest -> guest.name().equals(name)).toList();
        if (found.size() != 1) {
            throw new ControlException(
                    found.isEmpty()
                            ? "no guest '" + name + "'"
                            : found.size() + " guests have the name '" + name + "'");
        }
        return found.getFirst();
    }

    /**
     * Adds a guest.
     *
     * @throws BadUsageException if an option names a descriptor or path that cannot be served
     */
    RngGuest add(RngEndpoint socket, GuestRateLimiterSettings limits) throws IOException, BadUsageException {
        return add(socket, limits, true);
    }

    /**
     * Adds a guest with the name of a guest that is yet to be removed. The caller must call {@link #count} after the
     * removal, so that the new guest continues the counters of the name.
     *
     * @throws BadUsageException if an option names a descriptor or path that cannot be served
     */
    RngGuest addUncounted(RngEndpoint socket, GuestRateLimiterSettings limits) throws IOException, BadUsageException {
        return add(socket, limits, false);
    }

    /** Counts a guest in the counters file, if {@link #addUncounted} has added it. */
    void count(RngGuest guest) {
        try {
            counters.add(guest.device(), server.now());
        } catch (IOException full) {
            LOG.warn("{}: not counted, because the counters file {}", guest.name(), full.getMessage());
        }
    }

    private RngGuest add(RngEndpoint socket, GuestRateLimiterSettings limits, boolean counted)
            throws IOException, BadUsageException {
        requireOwnPath(socket);
        VirtioRngDevice device = new VirtioRngDevice(
                socket.guestName(),
                features,
                sources,
                new GuestRateLimiter(limits.limits()),
                scheduler.addFlow(limits.share()),
                scratch);
        try {
            if (counted) {
                counters.add(device, server.now());
            }
            RngGuest guest = new RngGuest(socket, device, socket.attach(server, device));
            guests.add(guest);
            if (socket.listeningPath() != null) {
                byListeningPath.put(socket.listeningPath(), guest);
            }
            return guest;
        } catch (IOException | BadUsageException | RuntimeException refused) {
            counters.remove(device);
            device.remove();
            throw refused;
        }
    }

    private void requireOwnPath(RngEndpoint socket) throws BadUsageException {
        Path path = socket.listeningPath();
        RngGuest user = path == null ? null : byListeningPath.get(path);
        if (user != null) {
            String before = user.name();
            throw new BadUsageException("'" + NativePath.text(path) + "' is the socket of guest '" + before
                    + "', and cannot become a socket of guest '" + socket.guestName()
                    + "' or of another kind while the daemon runs; undo this change, restart the daemon, or first run"
                    + " 'ctl remove " + before + "', which ends the session of '" + before + "'");
        }
    }

    /** Removes a guest: ends its session and removes its socket. */
    void remove(RngGuest guest) {
        server.remove(guest.endpoint());
        counters.remove(guest.device());
        guest.device().remove();
        guests.remove(guest);
        byListeningPath.remove(guest.socket().listeningPath(), guest);
        drained.remove(guest);
    }

    /** Changes the rate limits and the share of a guest. The change takes effect between two requests. */
    void setLimits(RngGuest guest, GuestRateLimiterSettings limits) {
        long now = server.now();
        guest.device().setLimits(now, limits.limits());
        guest.device().setShare(now, limits.share());
        guest.endpoint().dispatchVrings();
    }

    /** Returns the rate limits and the share of a guest. */
    static GuestRateLimiterSettings limits(RngGuest guest) {
        return new GuestRateLimiterSettings(
                guest.device().limits(), guest.device().share());
    }

    /**
     * Closes the sources of the sessions that the next process continues, after the server was closed. The guests must
     * not be used afterwards.
     */
    void closeSources() {
        guests.forEach(guest -> guest.device().closeSource());
    }

    /** Stops serving a guest's requests. Its session continues. */
    void pause(RngGuest guest) {
        guest.device().setPaused(true);
        guest.endpoint().dispatchVrings();
    }

    /** Refuses new front-ends of a guest. Its session goes on until its front-end disconnects. */
    void drain(RngGuest guest) {
        if (drained.add(guest)) {
            guest.endpoint().setAccepting(false);
        }
    }

    /** Whether new front-ends of a guest are refused. */
    boolean isDrained(RngGuest guest) {
        return drained.contains(guest);
    }

    /** Continues to serve a guest that was paused or drained. */
    void resume(RngGuest guest) {
        if (drained.remove(guest)) {
            guest.endpoint().setAccepting(true);
        }
        guest.device().setPaused(false);
        guest.endpoint().dispatchVrings();
    }

    /**
     * Replaces the guests' sources. The change takes effect between two requests. A guest whose next source is the same
     * object as before is not affected.
     *
     * @param next returns the source of the guest with a name
     */
    void setSources(Function<String, EntropySourceSpec> next) {
        List<RngGuest> changed = guests.stream()
                .filter(guest -> !next.apply(guest.name()).equals(sources.source(guest.name())))
                .toList();
        sources.setSources(next);
        for (RngGuest guest : changed) {
            guest.device().reopenSource();
            guest.endpoint().dispatchVrings();
        }
        for (RngGuest guest : changed.subList(0, Math.min(changed.size(), MAX_NAMED))) {
            LOG.info("{}: now uses source {}", guest.name(), source(guest));
        }
        if (changed.size() > MAX_NAMED) {
            LOG.info("{} more guests now use other sources", changed.size() - MAX_NAMED);
        }
    }

    /** The source of a guest. */
    EntropySourceSpec source(RngGuest guest) {
        return sources.source(guest.name());
    }

    /** The sources that the guests' sources consist of, each once, in the order of the guests. */
    List<SharedSourceSpec> sharedSources() {
        // Most guests have the same source, and a key may need system calls.
        Set<EntropySourceSpec> seen = Collections.newSetFromMap(new IdentityHashMap<>());
        Map<String, SharedSourceSpec> byKey = new LinkedHashMap<>();
        for (RngGuest guest : guests) {
            EntropySourceSpec source = source(guest);
            if (seen.add(source)) {
                source.sharedSources().forEach(shared -> byKey.putIfAbsent(shared.deduplicationKey(), shared));
            }
        }
        return List.copyOf(byKey.values());
    }

    /** Runs an action on the loop's thread. Any thread. */
    void execute(Runnable action) {
        server.execute(action);
    }

    /** Runs an action on the loop's thread when some time has passed. */
    void schedule(long delayNanos, Runnable action) {
        server.schedule(delayNanos, action);
    }

    /** The scheduler of the total rate limit. */
    DeficitRoundRobin scheduler() {
        return scheduler;
    }

    /** The time of the event loop's clock, in nanoseconds. */
    long now() {
        return server.now();
    }
}
