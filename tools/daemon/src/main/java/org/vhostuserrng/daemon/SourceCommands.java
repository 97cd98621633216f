package org.vhostuserrng.daemon;

import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.vhostuserrng.backends.source.SharedSourceSpec;
import org.vhostuserrng.backends.source.SourceRegistry;
import org.vhostuserrng.backends.source.SourceStatus;
import org.vhostuserrng.transport.control.ControlRecord;
import org.vhostuserrng.transport.control.ControlResponse;

/** {@code source} of the control socket: shows, tests, quarantines and releases sources. The loop's thread. */
final class SourceCommands {
    static final String STATUS = "status";
    static final String TEST = "test";
    static final String QUARANTINE = "quarantine";
    static final String RELEASE = "release";

    private static final Set<String> KNOWN = Set.of(STATUS, TEST, QUARANTINE, RELEASE);

    static final String EXPECTED = "expected status, test, quarantine or release";

    /** A source that has not provided enough bytes by then fails its test. */
    private static final long TEST_SECONDS = 60;

    private final RngGuests guests;
    private final SourceRegistry sources;

    SourceCommands(RngGuests guests, SourceRegistry sources) {
        this.guests = guests;
        this.sources = sources;
    }

    /** One record for each source that the guests' sources consist of. */
    Iterator<ControlRecord> status() {
        return guests.sharedSources().stream()
                .map(source -> record(sources.status(source)))
                .iterator();
    }

    private static ControlRecord record(SourceStatus status) {
        return new ControlRecord()
                .with("source", status.name())
                .with("state", text(status.state()))
                .with("users", status.users())
                .with("read-failures", status.failures().readFailures())
                .with("health-test-failures", status.failures().healthTestFailures())
                .with("ends-of-file", status.failures().endOfFiles());
    }

    /** The state in words of the log. */
    static String text(SourceStatus.State state) {
        return switch (state) {
            case UNUSED -> "unused";
            case SERVES -> "serves";
            case EMPTY -> "empty";
            case SILENT -> "silent";
            case FAILED -> "failed";
            case FAILED_HEALTH_TESTS -> "failed its health tests";
            case QUARANTINED -> "quarantined";
        };
    }

    /** Returns an error message for an unknown command; null for a known one. */
    static String unknown(List<String> arguments) {
        if (arguments.isEmpty()) {
            return "source: " + EXPECTED;
        }
        String command = arguments.getFirst();
        return KNOWN.contains(command) ? null : "source " + command + ": unknown command; " + EXPECTED;
    }

    /** Executes a command that changes something. */
    void execute(List<String> arguments, ControlResponse response) throws ControlException {
        if (arguments.isEmpty() || arguments.size() > 2) {
            throw new ControlException(EXPECTED + ", and a source or a guest");
        }
        List<SharedSourceSpec> named = named(arguments.size() == 1 ? null : arguments.get(1));
        switch (arguments.getFirst()) {
            case TEST -> test(named, response);
            case QUARANTINE -> setQuarantined(named, true, response);
            case RELEASE -> setQuarantined(named, false, response);
            default -> throw new ControlException(EXPECTED);
        }
    }

    /**
     * The source with a name, or that of a guest. Sources that differ in their options only have the same name.
     *
     * @param name null if there is only one source
     */
    private List<SharedSourceSpec> named(String name) throws ControlException {
        List<SharedSourceSpec> all = guests.sharedSources();
        if (name == null) {
            return requireOne(all, "the guests");
        }
        List<SharedSourceSpec> found =
                all.stream().filter(source -> source.toString().equals(name)).toList();
        return found.isEmpty()
                ? requireOne(guests.source(guests.named(name)).sharedSources(), "guest '" + name + "'")
                : found;
    }

    private static List<SharedSourceSpec> requireOne(List<SharedSourceSpec> found, String users)
            throws ControlException {
        if (found.size() != 1) {
            throw new ControlException("the source of " + users + " consists of " + found.size()
                    + " sources; expected one of the names that 'source status' shows");
        }
        return found;
    }

    private void setQuarantined(List<SharedSourceSpec> named, boolean quarantined, ControlResponse response) {
        named.forEach(source -> sources.setQuarantined(source, quarantined));
        response.succeed(List.<ControlRecord>of().iterator());
    }

    private void test(List<SharedSourceSpec> named, ControlResponse response) throws ControlException {
        SharedSourceSpec source = requireOne(named, "this name").getFirst();
        PendingTest test = new PendingTest(source, response);
        try {
            if (sources.beginStartupTests(source, result -> guests.execute(() -> test.finish(result)))) {
                guests.schedule(TimeUnit.SECONDS.toNanos(TEST_SECONDS), () -> test.finish(TIMEOUT));
            } else {
                test.succeed("none, because the source has no health tests");
            }
        } catch (IllegalStateException running) {
            throw new ControlException("'" + source + "': " + running.getMessage(), running);
        }
    }

    private static final String TIMEOUT = "it has not provided enough bytes in " + TEST_SECONDS + " s";

    /** A test that has not been answered yet. */
    private final class PendingTest {
        private final SharedSourceSpec source;
        private final ControlResponse response;
        private boolean answered;

        PendingTest(SharedSourceSpec source, ControlResponse response) {
            this.source = source;
            this.response = response;
        }

        /** Answers the client, once. The failure is null if the tests have passed. */
        void finish(String failure) {
            if (failure == null) {
                succeed("passed");
            } else {
                end(_ -> response.fail("source: '" + source + "': start-up tests failed: " + failure));
            }
        }

        void succeed(String result) {
            ControlRecord record = new ControlRecord().with("source", source).with("start-up-tests", result);
            end(_ -> response.succeed(List.of(record).iterator()));
        }

        private void end(Consumer<ControlResponse> answer) {
            if (!answered) {
                answered = true;
                sources.endStartupTests(source);
                answer.accept(response);
            }
        }
    }
}
