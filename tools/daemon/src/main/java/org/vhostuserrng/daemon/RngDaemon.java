package org.vhostuserrng.daemon;

import java.io.IOException;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vhostuserrng.backends.limiter.DeficitRoundRobin;
import org.vhostuserrng.backends.limiter.GuestRateLimiter;
import org.vhostuserrng.backends.source.FileReadPositions;
import org.vhostuserrng.backends.source.SourceRegistry;
import org.vhostuserrng.backends.source.VmForkClocks;
import org.vhostuserrng.libc.ErrnoException;
import org.vhostuserrng.libc.InheritedFds;
import org.vhostuserrng.libc.ReadinessFd;
import org.vhostuserrng.libc.ServiceSignals;
import org.vhostuserrng.libc.SurvivedSignalLog;
import org.vhostuserrng.transport.systemd.FdStoreClient;
import org.vhostuserrng.transport.systemd.ServiceNotifier;
import org.vhostuserrng.transport.vhostuser.server.VhostUserServer;

/**
 * Creates and connects the server, one device per endpoint, and the objects that the devices share: sources, scheduler
 * and scratch memory.
 */
final class RngDaemon {
    private static final Logger LOG = LoggerFactory.getLogger(RngDaemon.class);

    /** Less than {@link DaemonShutdownHook} waits for the whole daemon. */
    private static final long SOURCE_CLOSE_TIMEOUT_NANOS = TimeUnit.MILLISECONDS.toNanos(500);

    private final DaemonSettings settings;
    private final SettingsReloader.SettingsReader reader;

    /**
     * Creates a daemon that does not serve yet.
     *
     * @param reader reads the settings again when they are reloaded
     */
    RngDaemon(DaemonSettings settings, SettingsReloader.SettingsReader reader) {
        this.settings = settings;
        this.reader = reader;
    }

    /**
     * Serves all endpoints on the calling thread. Returns after a termination signal, or, if all endpoints are
     * inherited connections, when all of them have ended.
     *
     * @throws BadUsageException if an option names a socket that cannot serve
     */
    void serve() throws IOException, BadUsageException {
        SourceRegistry sources;
        RngGuests guests;
        try (DaemonCounters counters = openCounters();
                ServiceNotifier serviceManager = ServiceNotifier.open(
                        System.getenv(), ProcessHandle.current().pid());
                FdStoreClient fdStore = FdStoreClient.open(System.getenv());
                VhostUserServer server = VhostUserServer.open(settings.sessionOptions(), fdStore)) {
            // The hook must exist before the sockets: a process that sees a socket may already send SIGTERM.
            DaemonShutdownHook.install(server::stop);
            sources =
                    new SourceRegistry(settings::source, server::unparkVrings, System::nanoTime, VmForkClocks::ofHost);
            DeficitRoundRobin scheduler =
                    new DeficitRoundRobin(settings.rateLimits().total(), server::unparkVringsFromLoop);
            HostState hostState = HostState.open(fdStore, settings.storedFds(), hasHostState());
            if (hostState != null) {
                hostState.keep(scheduler, server.now());
            }
            ReadinessFd readiness = readiness();
            stopWithSupervisor(server);
            guests = new RngGuests(server, sources, scheduler, settings.features(), counters);
            SettingsReloader reloader = new SettingsReloader(reader, settings, server, guests, serviceManager);
            SurvivedSignalLog signals = new SurvivedSignalLog(System::nanoTime, LOG::info);
            ServiceSignals.survive(signal -> handle(signal, reloader, signals));
            SessionSurvival survival = SessionSurvival.of(fdStore, hostState == null ? 0 : 1);
            DaemonHealth health = new DaemonHealth(guests, sources, reloader, survival);
            if (settings.controlSocket() != null) {
                server.listenForControl(
                        settings.controlSocket().path(),
                        settings.controlSocket().access(),
                        new ControlCommands(guests, sources, reloader, health, ControlAuthorization.ofThisProcess()));
            }
            for (RngEndpoint endpoint : settings.endpoints()) {
                guests.add(endpoint, settings.rateLimits().forGuest(endpoint.guestName()));
            }
            String status = describeEndpoints(settings.endpoints());
            LOG.info(status);
            LOG.info(survival.text(guests.storableCount()));
            server.restore(settings.storedFds().stream()
                    .filter(fd -> VhostUserServer.isStoredSession(fd.name()))
                    .toList());

            counters.schedule(server, sources, health);
            startWatchdog(serviceManager, server);
            serviceManager.ready(status);
            signalReadiness(readiness);
            server.run();

            serviceManager.stopping();
            counters.refresh(server, sources, health);
            if (server.hasEnded() && hostState != null && fdStore != null) {
                HostState.remove(fdStore);
            }
            if (!sources.statistics().isEmpty()) {
                LOG.info("sources: {}", sources.statistics());
            }
            LOG.info(
                    "stopping; longest event-loop iteration {} µs",
                    TimeUnit.NANOSECONDS.toMicros(server.longestIteration()));
        }
        guests.closeSources();
        sources.awaitClosed(SOURCE_CLOSE_TIMEOUT_NANOS);
    }

    /**
     * Opens the counters file. If a previous process left sessions, guests are served even without it: that process may
     * still have locked the file, because its end is blocked.
     */
    private DaemonCounters openCounters() throws BadUsageException {
        boolean hasSessions = settings.storedFds().stream().anyMatch(fd -> VhostUserServer.isStoredSession(fd.name()));
        return DaemonCounters.open(settings.countersFile(), settings.endpoints(), !hasSessions);
    }

    /**
     * Returns whether there is state for {@link HostState}: a total rate limit, or a file as a source. A file is added
     * to the read positions when its source is probed.
     */
    private boolean hasHostState() {
        return settings.rateLimits().total().maxBytes() != GuestRateLimiter.UNLIMITED
                || !FileReadPositions.OF_PROCESS.isEmpty();
    }

    /** Handles a signal that does not end the daemon: SIGHUP reloads the settings, others are logged. */
    private static void handle(String signal, SettingsReloader reloader, SurvivedSignalLog signals) {
        if (signal.equals(ServiceSignals.SIGHUP)) {
            reloader.reload();
        } else {
            signals.received(signal);
        }
    }

    /** Returns the descriptor of {@code --ready-fd}; null without the option. */
    private ReadinessFd readiness() throws BadUsageException {
        OptionalInt fd = settings.supervisor().ready();
        try {
            return fd.isPresent() ? ReadinessFd.of(InheritedFds.requireNotOwn(fd.getAsInt())) : null;
        } catch (IllegalArgumentException unusable) {
            throw new BadUsageException(
                    DaemonOptions.READY_FD + "=" + fd.getAsInt() + ": " + unusable.getMessage(), unusable);
        }
    }

    private static void signalReadiness(ReadinessFd readiness) {
        if (readiness != null) {
            try {
                readiness.signal();
            } catch (ErrnoException refused) {
                LOG.warn("{}: {}", DaemonOptions.READY_FD, refused.getMessage());
            }
        }
    }

    private void stopWithSupervisor(VhostUserServer server) throws BadUsageException {
        OptionalInt fd = settings.supervisor().exitWith();
        try {
            if (fd.isPresent()) {
                server.stopAtEndOf(InheritedFds.requireNotOwn(fd.getAsInt()));
            }
        } catch (IllegalArgumentException unusable) {
            throw new BadUsageException(
                    DaemonOptions.EXIT_WITH_FD + "=" + fd.getAsInt() + ": " + unusable.getMessage(), unusable);
        }
    }

    /** Sends the watchdog notifications from the event loop: the service manager restarts a daemon whose loop hangs. */
    private static void startWatchdog(ServiceNotifier serviceManager, VhostUserServer server) {
        if (serviceManager.watchdogTimeoutNanos() > 0) {
            // sd_watchdog_enabled(3) recommends half of the timeout.
            server.schedulePeriodically(serviceManager.watchdogTimeoutNanos() / 2, serviceManager::watchdog);
        }
    }

    private String describeEndpoints(List<RngEndpoint> endpoints) {
        long others = endpoints.stream()
                .filter(endpoint -> !settings.source(endpoint.guestName()).equals(settings.source()))
                .count();
        return endpoints.getFirst()
                + (endpoints.size() > 1 ? " … " + endpoints.getLast().guestName() : "")
                + ", source "
                + settings.source()
                + (others == 0 ? "" : " (" + others + " of " + endpoints.size() + " guests: other sources)");
    }
}
