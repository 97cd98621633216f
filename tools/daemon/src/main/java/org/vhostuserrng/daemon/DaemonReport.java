package org.vhostuserrng.daemon;

import java.util.ArrayList;
import java.util.List;
import org.vhostuserrng.backends.limiter.GuestRateLimiter;
import org.vhostuserrng.backends.limiter.RateLimitConfig;
import org.vhostuserrng.backends.limiter.RateLimitMode;
import org.vhostuserrng.libc.NativePath;
import org.vhostuserrng.libc.NativeText;
import org.vhostuserrng.transport.vhostuser.ListenerAccess;
import org.vhostuserrng.transport.vhostuser.VhostUserOptions;

/** The output of {@code --check-config}: one line per guest, then the settings for all guests. */
final class DaemonReport {
    private final DaemonSettings settings;

    private DaemonReport(DaemonSettings settings) {
        this.settings = settings;
    }

    static String of(DaemonSettings settings) {
        StringBuilder out = new StringBuilder();
        DaemonReport report = new DaemonReport(settings);
        settings.endpoints()
                .forEach(endpoint ->
                        out.append(NativeText.printable(report.guest(endpoint))).append('\n'));
        return out.append(report.options()).append('\n').toString();
    }

    private String guest(RngEndpoint endpoint) {
        GuestRateLimiterSettings own = settings.rateLimits().forGuest(endpoint.guestName());
        List<String> parts = new ArrayList<>();
        parts.add("guest " + endpoint.guestName() + ": " + endpoint);
        parts.add("source " + settings.source(endpoint.guestName()));
        addLimits(parts, own.limits());
        parts.add("weight " + own.share().weight());
        if (own.share().minBytes() > 0) {
            parts.add("min-bytes " + own.share().minBytes());
        }
        addAccess(parts, endpoint);
        return String.join(", ", parts);
    }

    private static void addAccess(List<String> parts, RngEndpoint endpoint) {
        ListenerAccess access = endpoint.access();
        addIf(parts, access.mode() != ListenerAccess.UNCHANGED, "socket-mode " + String.format("%04o", access.mode()));
        addIf(parts, access.group() != ListenerAccess.UNCHANGED, "socket-group " + unsigned(access.group()));
        access.uids().stream().sorted().forEach(uid -> parts.add("allow-uid " + unsigned(uid)));
        access.gids().stream().sorted().forEach(gid -> parts.add("allow-gid " + unsigned(gid)));
    }

    private static String unsigned(int id) {
        return Integer.toUnsignedString(id);
    }

    private String options() {
        RateLimitConfig total = settings.rateLimits().total();
        VhostUserOptions session = settings.sessionOptions();
        List<String> parts = new ArrayList<>();
        parts.add(
                total.maxBytes() == GuestRateLimiter.UNLIMITED
                        ? "no total limit"
                        : "total-max-bytes " + total.maxBytes() + " per " + total.periodMillis() + " ms");
        parts.add("max-guest-memory " + session.maxMemoryBytes() + " bytes");
        parts.add("spin " + session.busyPollNanos() / 1000 + " us");
        addIf(parts, session.memSlots(), "mem-slots");
        addIf(parts, session.sealedMemoryOnly(), "require-sealed-memory");
        session.memoryFileSystems().stream().sorted().forEach(type -> parts.add("allow-memory-on " + type));
        addIf(parts, settings.features().packed(), "packed");
        addIf(parts, settings.features().inOrder(), "in-order");
        addIf(parts, session.accessPlatform(), "access-platform");
        if (settings.controlSocket() != null) {
            ControlSocketSettings control = settings.controlSocket();
            parts.add("control-socket " + NativePath.text(control.path()));
            parts.add("control-socket-mode "
                    + String.format("%04o", control.access().mode()));
            addIf(
                    parts,
                    control.access().group() != ListenerAccess.UNCHANGED,
                    "control-socket-group " + unsigned(control.access().group()));
        }
        if (settings.countersFile() != null) {
            parts.add("counters-file " + NativePath.text(settings.countersFile()));
        }
        addIf(parts, settings.logLevel() != null, "log-level " + settings.logLevel());
        return "all guests: " + String.join(", ", parts);
    }

    private static void addLimits(List<String> parts, RateLimitConfig limits) {
        boolean bytes = limits.maxBytes() != GuestRateLimiter.UNLIMITED;
        boolean ops = limits.ops() != GuestRateLimiter.UNLIMITED;
        if (!bytes && !ops) {
            parts.add("no limit");
            return;
        }
        addIf(parts, bytes, "max-bytes " + limits.maxBytes());
        addIf(parts, ops, "ops " + limits.ops());
        addIf(parts, limits.burst() > 0, "burst " + limits.burst());
        parts.add("period " + limits.periodMillis() + " ms");
        addIf(parts, limits.mode() != RateLimitMode.SMOOTH, RateLimiterOptionParser.modeText(limits.mode()));
    }

    private static void addIf(List<String> parts, boolean present, String part) {
        if (present) {
            parts.add(part);
        }
    }
}
