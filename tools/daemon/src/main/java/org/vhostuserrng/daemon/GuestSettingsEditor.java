package org.vhostuserrng.daemon;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.vhostuserrng.backends.limiter.DrrGuestConfig;
import org.vhostuserrng.backends.limiter.GuestRateLimiter;
import org.vhostuserrng.backends.limiter.RateLimitConfig;
import org.vhostuserrng.backends.limiter.RateLimitMode;

/** Applies changes of the form {@code KEY=VALUE} to settings, with the keys and units of the configuration file. */
final class GuestSettingsEditor {
    private static final String NO_LIMIT = "none";

    private final Set<String> changed = new HashSet<>();
    private RateLimitMode mode;
    private long maxBytes;
    private long periodMillis;
    private long ops;
    private long burst;
    private long weight = DrrGuestConfig.DEFAULT.weight();
    private long minBytes;

    private GuestSettingsEditor(RateLimitConfig limits) {
        mode = limits.mode();
        maxBytes = limits.maxBytes();
        periodMillis = limits.periodMillis();
        ops = limits.ops();
        burst = limits.burst();
    }

    /** Returns the settings of a guest after the changes. */
    static GuestRateLimiterSettings edit(GuestRateLimiterSettings before, List<String> changes)
            throws BadUsageException {
        GuestSettingsEditor editor = new GuestSettingsEditor(before.limits());
        editor.weight = before.share().weight();
        editor.minBytes = before.share().minBytes();
        for (String change : changes) {
            editor.change(change, true);
        }
        return new GuestRateLimiterSettings(editor.limits(), new DrrGuestConfig((int) editor.weight, editor.minBytes));
    }

    /** Returns the total rate limit after the changes. */
    static RateLimitConfig editTotal(RateLimitConfig before, List<String> changes) throws BadUsageException {
        GuestSettingsEditor editor = new GuestSettingsEditor(before);
        for (String change : changes) {
            editor.change(change, false);
        }
        return editor.limits();
    }

    private RateLimitConfig limits() {
        return new RateLimitConfig(mode, maxBytes, (int) periodMillis, ops, burst);
    }

    private void change(String change, boolean ofGuest) throws BadUsageException {
        String[] keyAndValue = change.split("=", 2);
        if (keyAndValue.length != 2) {
            throw new BadUsageException("'" + change + "': expected KEY=VALUE");
        }
        String key = keyAndValue[0];
        if (!changed.add(key)) {
            throw new BadUsageException("'" + change + "': expected each key once");
        }
        String value = keyAndValue[1];
        switch (key) {
            case "max-bytes" -> maxBytes = limit(DaemonOptionRange.MAX_BYTES, key, value);
            case "period" -> periodMillis = DaemonOptionRange.PERIOD_MILLIS.parse(key, value);
            case GuestOptions.LIMIT_MODE -> mode = RateLimiterOptionParser.mode(new OptionValue(key, value));
            default -> {
                if (!ofGuest) {
                    throw new BadUsageException("'" + change + "': expected max-bytes, period or limit-mode");
                }
                changeOfGuest(change, key, value);
            }
        }
    }

    private void changeOfGuest(String change, String key, String value) throws BadUsageException {
        switch (key) {
            case "ops" -> ops = limit(DaemonOptionRange.OPS, key, value);
            case "burst" -> burst = DaemonOptionRange.BURST_BYTES.parse(key, value);
            case "weight" -> weight = DaemonOptionRange.WEIGHT.parse(key, value);
            case "min-bytes" -> minBytes = DaemonOptionRange.MIN_BYTES.parse(key, value);
            default ->
                throw new BadUsageException(
                        "'" + change + "': expected max-bytes, period, limit-mode, ops, burst, weight or min-bytes");
        }
    }

    private static long limit(DaemonOptionRange range, String key, String value) throws BadUsageException {
        return value.equals(NO_LIMIT) ? GuestRateLimiter.UNLIMITED : range.parse(key, value);
    }

    static String limitText(long limit) {
        return limit == GuestRateLimiter.UNLIMITED ? NO_LIMIT : Long.toString(limit);
    }
}
