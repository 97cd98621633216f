package org.vhostuserrng.daemon;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import org.vhostuserrng.backends.limiter.DeficitRoundRobin;
import org.vhostuserrng.backends.source.SourceRegistry;
import org.vhostuserrng.backends.source.VmForkClocks;
import org.vhostuserrng.transport.control.ControlRecord;
import org.vhostuserrng.transport.control.ControlRequest;
import org.vhostuserrng.transport.control.ControlResponse;
import org.vhostuserrng.transport.systemd.ServiceNotifier;
import org.vhostuserrng.transport.vhostuser.server.VhostUserServer;

/** The objects of a daemon with a configuration file, on a loop that only the test runs. */
final class InProcessDaemon implements AutoCloseable {
    static final int DAEMON_UID = 107;
    private static final String OK = "ok";

    private final Path config;
    private final DaemonCounters counters;
    private final ServiceNotifier serviceManager;
    private final VhostUserServer server;
    private final RngGuests guests;
    private final SettingsReloader reloader;
    private final ControlCommands commands;

    /** Starts with the settings of a file in {@code directory}. */
    InProcessDaemon(Path directory, String text) throws IOException, BadUsageException {
        config = directory.resolve("rng.conf");
        write(text);
        String option = "--config=" + config;
        DaemonSettings settings = DaemonCommand.readSettings(option);
        counters = DaemonCounters.open(settings.countersFile(), settings.endpoints(), true);
        serviceManager = ServiceNotifier.open(Map.of(), 1);
        server = VhostUserServer.open(settings.sessionOptions());
        SourceRegistry sources =
                new SourceRegistry(settings::source, server::unparkVrings, System::nanoTime, VmForkClocks::ofHost);
        DeficitRoundRobin scheduler =
                new DeficitRoundRobin(settings.rateLimits().total(), server::unparkVringsFromLoop);
        guests = new RngGuests(server, sources, scheduler, settings.features(), counters);
        reloader = new SettingsReloader(
                running -> DaemonCommand.readSettings(running, option), settings, server, guests, serviceManager);
        DaemonHealth health = new DaemonHealth(guests, sources, reloader, new SessionSurvival(null, 0, Long.MAX_VALUE));
        commands = new ControlCommands(guests, sources, reloader, health, new ControlAuthorization(DAEMON_UID));
        for (RngEndpoint endpoint : settings.endpoints()) {
            guests.add(endpoint, settings.rateLimits().forGuest(endpoint.guestName()));
        }
    }

    private void write(String text) throws IOException {
        Files.writeString(config, text);
    }

    /** Reloads a new text of the file. Returns the response to {@code ctl reload}. */
    String reload(String text) throws IOException {
        write(text);
        return execute("reload");
    }

    /**
     * Executes a command of root. Returns the first record, {@code ok} without a record, or the reason for a refusal.
     */
    String execute(String... words) throws IOException {
        return executeAs(0, words);
    }

    String executeAs(int uid, String... words) throws IOException {
        AtomicReference<String> answer = new AtomicReference<>();
        commands.execute(new ControlRequest(List.of(words), "test", uid), new ControlResponse() {
            @Override
            public void succeed(Iterator<ControlRecord> records) {
                answer.set(records.hasNext() ? records.next().fields().toString() : OK);
            }

            @Override
            public void fail(String reason) {
                answer.set(reason);
            }
        });
        while (answer.get() == null && !Thread.currentThread().isInterrupted()) {
            server.doWork();
            Thread.onSpinWait();
        }
        return answer.get();
    }

    RngGuests guests() {
        return guests;
    }

    SettingsReloader reloader() {
        return reloader;
    }

    @Override
    public void close() {
        server.close();
        guests.closeSources();
        serviceManager.close();
        counters.close();
    }
}
