package org.vhostuserrng.daemon;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.vhostuserrng.backends.source.SourceRegistry;
import org.vhostuserrng.backends.source.SourceStatus;
import org.vhostuserrng.transport.control.ControlRecord;

/** Whether the daemon does what its settings say, and if not, why. Confined to the loop's thread. */
final class DaemonHealth {
    /** The daemon's health. */
    enum Status {
        OK(1),
        /** Guests are served, but something needs attention. */
        DEGRADED(2),
        /** A guest has been waiting for its source for some seconds. */
        FAILED(3);

        /** The value in the counters file, in which 0 means that it is unknown. */
        private final int counterValue;

        Status(int counterValue) {
            this.counterValue = counterValue;
        }

        int counterValue() {
            return counterValue;
        }

        /** The word in responses. */
        String text() {
            return switch (this) {
                case OK -> "ok";
                case DEGRADED -> "degraded";
                case FAILED -> "failed";
            };
        }
    }

    /** Also the time after which a source counts as silent. */
    private static final long MAX_WAIT_NANOS = TimeUnit.SECONDS.toNanos(5);
    /** Guests or sources that are named with the same kind of reason. */
    private static final int MAX_NAMED = 3;

    static final String REASONS = "reasons";
    static final String STATUS = "status";

    private final RngGuests guests;
    private final SourceRegistry sources;
    private final SettingsReloader reloader;
    private final SessionSurvival survival;

    DaemonHealth(RngGuests guests, SourceRegistry sources, SettingsReloader reloader, SessionSurvival survival) {
        this.guests = guests;
        this.sources = sources;
        this.reloader = reloader;
        this.survival = survival;
    }

    /** The response to {@code health}. */
    ControlRecord record() {
        List<String> reasons = reasons();
        List<String> pending = reloader.pendingRestart();
        return new ControlRecord()
                .with(STATUS, status().text())
                .with(REASONS, reasons.isEmpty() ? "none" : String.join("; ", reasons))
                .with("guests", guests.all().size())
                .with("failovers", sources.failoverCount())
                .with("after-restart", pending.isEmpty() ? "nothing" : String.join(", ", pending))
                .with("sessions-survive", survival.text(guests.storableCount()));
    }

    /** The status, without the texts of the reasons: it is written to the counters file once a second. */
    Status status() {
        if (guests.all().stream().anyMatch(this::waitsForSource)) {
            return Status.FAILED;
        }
        boolean degraded = sources.inUse().stream().anyMatch(DaemonHealth::isOutOfService)
                || guests.all().stream().anyMatch(DaemonHealth::hasProblem)
                || reloader.lastFailure() != null
                || survival.isTooSmallFor(guests.storableCount());
        return degraded ? Status.DEGRADED : Status.OK;
    }

    private static boolean isOutOfService(SourceStatus source) {
        return source.state().isOutOfService();
    }

    private static boolean hasProblem(RngGuest guest) {
        return guest.endpoint().problem() != null;
    }

    private boolean waitsForSource(RngGuest guest) {
        return !guest.device().isPaused() && guest.device().starvedNanos(guests.now()) >= MAX_WAIT_NANOS;
    }

    private List<String> reasons() {
        List<String> reasons = new ArrayList<>();
        addGuests(reasons);
        addAll(
                reasons,
                sources.inUse().stream()
                        .filter(DaemonHealth::isOutOfService)
                        .map(source -> "source " + source.name() + ": " + SourceCommands.text(source.state()))
                        .toList(),
                "sources");
        addAll(
                reasons,
                guests.all().stream()
                        .filter(DaemonHealth::hasProblem)
                        .map(guest -> "guest " + guest.name() + ": "
                                + guest.endpoint().problem())
                        .toList(),
                "guests");
        if (reloader.lastFailure() != null) {
            reasons.add("the last reload failed: " + reloader.lastFailure());
        }
        if (survival.isTooSmallFor(guests.storableCount())) {
            reasons.add(survival.text(guests.storableCount()));
        }
        return reasons;
    }

    private void addGuests(List<String> reasons) {
        List<String> waiting = guests.all().stream()
                .filter(this::waitsForSource)
                .map(RngGuest::name)
                .toList();
        if (!waiting.isEmpty()) {
            reasons.add(named(waiting) + ": no bytes for more than " + TimeUnit.NANOSECONDS.toSeconds(MAX_WAIT_NANOS)
                    + " s");
        }
    }

    private static void addAll(List<String> reasons, List<String> all, String kind) {
        int shown = Math.min(all.size(), MAX_NAMED);
        reasons.addAll(all.subList(0, shown));
        if (all.size() > shown) {
            reasons.add((all.size() - shown) + " more " + kind);
        }
    }

    private static String named(List<String> names) {
        int shown = Math.min(names.size(), MAX_NAMED);
        String text = (names.size() == 1 ? "guest " : "guests ") + String.join(", ", names.subList(0, shown));
        return names.size() > shown ? text + " and " + (names.size() - shown) + " more" : text;
    }
}
