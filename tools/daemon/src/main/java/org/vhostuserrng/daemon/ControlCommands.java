package org.vhostuserrng.daemon;

import java.io.IOException;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vhostuserrng.backends.limiter.RateLimitConfig;
import org.vhostuserrng.backends.source.SourceRegistry;
import org.vhostuserrng.daemon.log.LogThreshold;
import org.vhostuserrng.libc.LogLineLimiter;
import org.vhostuserrng.transport.control.ControlCommandHandler;
import org.vhostuserrng.transport.control.ControlRecord;
import org.vhostuserrng.transport.control.ControlRequest;
import org.vhostuserrng.transport.control.ControlResponse;

/** Executes the commands of the control socket. Confined to the event loop's thread. */
final class ControlCommands implements ControlCommandHandler {
    private static final Logger LOG = LoggerFactory.getLogger(ControlCommands.class);

    /** The field with the name of a guest. */
    static final String GUEST = "guest";

    private static final String RELOAD = "reload";
    private static final String SOURCE = "source";
    private static final String LOG_LEVEL = "log-level";

    /** Commands that every client of the socket may use. */
    private static final Set<String> READING = Set.of(CtlOptions.LIST, "show", CtlOptions.HEALTH, "total");

    private static final Set<String> KNOWN = Set.copyOf(CtlOptions.firstWords(""));
    private static final String NOT_AUTHORIZED = "only root and the user of the daemon may make changes";

    /** Of each kind. A client that may only read can send any number of commands, which must not hide those of root. */
    private static final int MAX_LINES_PER_MINUTE = 100;

    private static final List<ControlRecord> NOTHING = List.of();

    private final RngGuests guests;
    private final SourceCommands sources;
    private final SettingsReloader reloader;
    private final DaemonHealth health;
    private final ControlAuthorization authorization;
    private final LogLineLimiter executedLines = lines();
    private final LogLineLimiter refusedLines = lines();

    ControlCommands(
            RngGuests guests,
            SourceRegistry sources,
            SettingsReloader reloader,
            DaemonHealth health,
            ControlAuthorization authorization) {
        this.guests = guests;
        this.sources = new SourceCommands(guests, sources);
        this.reloader = reloader;
        this.health = health;
        this.authorization = authorization;
    }

    @Override
    public void execute(ControlRequest request, ControlResponse response) {
        String command = request.words().getFirst();
        List<String> arguments = request.words().subList(1, request.words().size());
        String unknown = unknown(command, arguments);
        if (unknown != null) {
            response.fail(unknown);
            return;
        }
        boolean changes = !isReading(command, arguments);
        if (changes && !authorization.mayChange(request.uid())) {
            if (mayLog(refusedLines, "refused")) {
                LOG.warn("control: {} refused: {} ({})", command, NOT_AUTHORIZED, request.peer());
            }
            response.fail(command + ": " + NOT_AUTHORIZED);
            return;
        }
        boolean logged = changes && mayLog(executedLines, "executed");
        if (logged) {
            LOG.info("control: {} ({})", String.join(" ", request.words()), request.peer());
        }
        try {
            switch (command) {
                case RELOAD -> reload(arguments, response);
                case SOURCE -> source(arguments, response);
                default -> response.succeed(execute(command, arguments));
            }
        } catch (ControlException | BadUsageException | IOException failure) {
            if (logged) {
                LOG.warn("control: {} refused: {} ({})", command, failure.getMessage(), request.peer());
            }
            response.fail(command + ": " + failure.getMessage());
        }
    }

    /** Returns an error message for an unknown command; null for a known one. */
    private static String unknown(String command, List<String> arguments) {
        if (!KNOWN.contains(command)) {
            return command + ": unknown command; expected one of " + CtlOptions.commandNames();
        }
        return command.equals(SOURCE) ? SourceCommands.unknown(arguments) : null;
    }

    private static boolean isReading(String command, List<String> arguments) {
        return READING.contains(command)
                || isSourceStatus(command, arguments)
                || (command.equals(LOG_LEVEL) && arguments.isEmpty());
    }

    private static boolean isSourceStatus(String command, List<String> arguments) {
        return command.equals(SOURCE) && arguments.equals(List.of(SourceCommands.STATUS));
    }

    private static LogLineLimiter lines() {
        return new LogLineLimiter(MAX_LINES_PER_MINUTE, TimeUnit.MINUTES.toNanos(1), System::nanoTime);
    }

    private static boolean mayLog(LogLineLimiter lines, String kind) {
        long suppressed = lines.takeSuppressed();
        if (suppressed > 0) {
            LOG.warn("control: {} more lines about {} commands suppressed", suppressed, kind);
        }
        return lines.mayWrite();
    }

    private void source(List<String> arguments, ControlResponse response) throws ControlException {
        if (isSourceStatus(SOURCE, arguments)) {
            response.succeed(sources.status());
        } else {
            sources.execute(arguments, response);
        }
    }

    private Iterator<ControlRecord> execute(String command, List<String> arguments)
            throws ControlException, BadUsageException, IOException {
        return switch (command) {
            case CtlOptions.LIST -> {
                expect(arguments, 0, "no arguments");
                yield guests.all().stream().map(this::summary).iterator();
            }
            case "show" -> records(details(guest(arguments)));
            case "total" -> {
                expect(arguments, 0, "no arguments");
                yield records(total());
            }
            case CtlOptions.HEALTH -> {
                expect(arguments, 0, "no arguments");
                yield records(health.record());
            }
            case LOG_LEVEL -> logLevel(arguments);
            case "add" -> {
                add(arguments);
                yield NOTHING.iterator();
            }
            case "remove" -> {
                guests.remove(guest(arguments));
                yield NOTHING.iterator();
            }
            case "drop" -> {
                drop(guest(arguments));
                yield NOTHING.iterator();
            }
            case "set" -> {
                set(arguments);
                yield NOTHING.iterator();
            }
            case "set-total" -> {
                setTotal(arguments);
                yield NOTHING.iterator();
            }
            case "pause" -> {
                guests.pause(guest(arguments));
                yield NOTHING.iterator();
            }
            case "drain" -> {
                guests.drain(guest(arguments));
                yield NOTHING.iterator();
            }
            case "resume" -> {
                guests.resume(guest(arguments));
                yield NOTHING.iterator();
            }
            default -> throw new IllegalArgumentException(command);
        };
    }

    private static Iterator<ControlRecord> logLevel(List<String> arguments) throws ControlException, BadUsageException {
        if (arguments.isEmpty()) {
            return records(new ControlRecord().with(LOG_LEVEL, LogThreshold.get()));
        }
        expect(arguments, 1, "error, warn, info or debug");
        LogThreshold.set(DaemonLogLevel.require(new OptionValue("level", arguments.getFirst())));
        return NOTHING.iterator();
    }

    private void reload(List<String> arguments, ControlResponse response) throws ControlException {
        expect(arguments, 0, "no arguments");
        reloader.reload(failure -> {
            if (failure == null) {
                response.succeed(NOTHING.iterator());
            } else {
                response.fail("reload: " + failure);
            }
        });
    }

    private static void expect(List<String> arguments, int count, String expected) throws ControlException {
        if (arguments.size() != count) {
            throw new ControlException("expected " + expected);
        }
    }

    private static Iterator<ControlRecord> records(ControlRecord record) {
        return List.of(record).iterator();
    }

    private RngGuest guest(List<String> arguments) throws ControlException {
        expect(arguments, 1, "the name of a guest");
        return guests.named(arguments.getFirst());
    }

    private void add(List<String> arguments) throws ControlException, BadUsageException, IOException {
        if (arguments.isEmpty()) {
            throw new ControlException(
                    "expected the path of a socket, or vfio-user=PATH, and settings such as max-bytes=N");
        }
        RngEndpoint socket = SocketOptionParser.addedSocket(arguments.getFirst(), reloader.inForce());
        for (RngGuest guest : guests.all()) {
            if (guest.name().equals(socket.guestName())) {
                throw new ControlException("guest '" + guest.name() + "' exists already");
            }
        }
        GuestRateLimiterSettings limits = GuestSettingsEditor.edit(
                reloader.inForce().rateLimits().forGuest(socket.guestName()), arguments.subList(1, arguments.size()));
        requireReservable(
                guests.scheduler().total(), reservedBytes(null) + limits.share().minBytes());
        guests.add(socket, limits);
    }

    private static void drop(RngGuest guest) throws ControlException {
        if (!guest.endpoint().hasUnservedSession()) {
            throw new ControlException("'" + guest.name() + "' has no unserved session");
        }
        guest.endpoint().dropUnservedSession();
    }

    private void set(List<String> arguments) throws ControlException, BadUsageException {
        if (arguments.size() < 2) {
            throw new ControlException("expected the name of a guest, and settings such as max-bytes=N");
        }
        RngGuest guest = guests.named(arguments.getFirst());
        GuestRateLimiterSettings limits =
                GuestSettingsEditor.edit(RngGuests.limits(guest), arguments.subList(1, arguments.size()));
        requireReservable(
                guests.scheduler().total(),
                reservedBytes(guest) + limits.share().minBytes());
        guests.setLimits(guest, limits);
    }

    /** Returns the sum of the {@code min-bytes} of all guests except {@code except}, in bytes per total period. */
    private long reservedBytes(RngGuest except) {
        return guests.all().stream()
                .filter(guest -> !guest.equals(except))
                .mapToLong(guest -> guest.device().share().minBytes())
                .sum();
    }

    private static void requireReservable(RateLimitConfig total, long reservedBytes) throws ControlException {
        if (reservedBytes < 0 || reservedBytes > total.maxBytes()) {
            throw new ControlException("expected the sum of all min-bytes to be at most the total max-bytes="
                    + GuestSettingsEditor.limitText(total.maxBytes()));
        }
    }

    private void setTotal(List<String> arguments) throws ControlException, BadUsageException {
        if (arguments.isEmpty()) {
            throw new ControlException("expected max-bytes=N or period=TIME");
        }
        RateLimitConfig total = GuestSettingsEditor.editTotal(guests.scheduler().total(), arguments);
        requireReservable(total, reservedBytes(null));
        guests.scheduler().setTotal(guests.now(), total);
    }

    private ControlRecord summary(RngGuest guest) {
        var statistics = guest.device().counts();
        return new ControlRecord()
                .with(GUEST, guest.name())
                .with("state", state(guest))
                .with("requests", statistics.requests())
                .with("bytes", statistics.bytes())
                .with("throttled", statistics.throttled())
                .with("starved", statistics.starved())
                .with(
                        "max-bytes",
                        GuestSettingsEditor.limitText(guest.device().limits().maxBytes()))
                .with("period", guest.device().limits().periodMillis());
    }

    private String state(RngGuest guest) {
        boolean connected = guest.endpoint().frontend() != null;
        if (guest.device().isPaused()) {
            return "paused";
        }
        if (guests.isDrained(guest)) {
            return connected ? "draining" : "drained";
        }
        if (!connected) {
            return guest.endpoint().hasUnservedSession() ? "unserved" : "disconnected";
        }
        return guest.device().isStarted() ? "running" : "connected";
    }

    private ControlRecord details(RngGuest guest) {
        var statistics = guest.device().counts();
        var usage = guest.device().limiterUsage(guests.now());
        GuestRateLimiterSettings limits = RngGuests.limits(guest);
        String frontend = guest.endpoint().frontend();
        return new ControlRecord()
                .with(GUEST, guest.name())
                .with("socket", guest.socket())
                .with("state", state(guest))
                .with("source", guests.source(guest))
                .with("front-end", frontend == null ? "none" : frontend)
                .with("requests", statistics.requests())
                .with("bytes", statistics.bytes())
                .with("throttled", statistics.throttled())
                .with("starved", statistics.starved())
                .with("faults", statistics.faults())
                .with(
                        "limit-mode",
                        RateLimiterOptionParser.modeText(limits.limits().mode()))
                .with("max-bytes", GuestSettingsEditor.limitText(limits.limits().maxBytes()))
                .with("period", limits.limits().periodMillis())
                .with("ops", GuestSettingsEditor.limitText(limits.limits().ops()))
                .with("burst", limits.limits().burst())
                .with("weight", limits.share().weight())
                .with("min-bytes", limits.share().minBytes())
                .with("used-bytes", usage.bytes())
                .with("used-ops", usage.ops())
                .with("used-burst", usage.burst());
    }

    private ControlRecord total() {
        return new ControlRecord()
                .with(
                        "max-bytes",
                        GuestSettingsEditor.limitText(guests.scheduler().total().maxBytes()))
                .with("period", guests.scheduler().total().periodMillis());
    }
}
