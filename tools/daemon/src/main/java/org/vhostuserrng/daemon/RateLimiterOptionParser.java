package org.vhostuserrng.daemon;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.vhostuserrng.backends.limiter.DrrGuestConfig;
import org.vhostuserrng.backends.limiter.GuestRateLimiter;
import org.vhostuserrng.backends.limiter.RateLimitConfig;
import org.vhostuserrng.backends.limiter.RateLimitMode;

/** Parses the rate limit options, those for all guests and those of single guests. */
final class RateLimiterOptionParser {
    private final DaemonArguments arguments;
    private final RateLimitMode mode;

    private RateLimiterOptionParser(DaemonArguments arguments) throws BadUsageException {
        this.arguments = arguments;
        this.mode = modeOr(arguments.value(DaemonOptions.LIMIT_MODE), RateLimitMode.SMOOTH);
    }

    /**
     * Parses the rate limit options.
     *
     * @param guests the guests with settings of their own
     */
    static RateLimiterSettings parse(DaemonArguments arguments, List<GuestOptions> guests) throws BadUsageException {
        return new RateLimiterOptionParser(arguments).settings(guests);
    }

    private static RateLimitMode modeOr(OptionValue value, RateLimitMode otherwise) throws BadUsageException {
        return value == null ? otherwise : mode(value);
    }

    /** The mode that a value names. */
    static RateLimitMode mode(OptionValue value) throws BadUsageException {
        for (RateLimitMode mode : RateLimitMode.values()) {
            if (modeText(mode).equals(value.text())) {
                return mode;
            }
        }
        throw value.refused("expected smooth or window");
    }

    /** The name of a mode. */
    static String modeText(RateLimitMode mode) {
        return mode.name().toLowerCase(Locale.ROOT);
    }

    private RateLimiterSettings settings(List<GuestOptions> guests) throws BadUsageException {
        RateLimitConfig total = RateLimitConfig.ofBytes(
                mode,
                arguments.longValue(
                        DaemonOptions.TOTAL_MAX_BYTES, DaemonOptionRange.MAX_BYTES, GuestRateLimiter.UNLIMITED),
                (int) arguments.longValue(
                        DaemonOptions.TOTAL_PERIOD,
                        DaemonOptionRange.PERIOD_MILLIS,
                        GuestRateLimiter.MAX_PERIOD_MILLIS));
        GuestRateLimiterSettings defaults = new GuestRateLimiterSettings(limitsOfAll(), new DrrGuestConfig(1, 0));
        Map<String, GuestRateLimiterSettings> byGuest = new LinkedHashMap<>();
        long reservedBytes = 0;
        for (GuestOptions guest : guests) {
            GuestRateLimiterSettings own = settings(guest, defaults.limits());
            byGuest.put(guest.name(), own);
            reservedBytes += own.share().minBytes();
            boolean reserves = own.share().minBytes() > 0;
            if (reserves && (reservedBytes < 0 || reservedBytes > total.maxBytes())) {
                String sum = reservedBytes < 0 ? "more than 2^63-1" : Long.toString(reservedBytes);
                throw guest.value(GuestOptions.MIN_BYTES)
                        .refused("the sum of all " + GuestOptions.MIN_BYTES + " is " + sum + "; expected at most "
                                + DaemonOptions.TOTAL_MAX_BYTES + "=" + NumberUnit.text(total.maxBytes()));
            }
        }
        return new RateLimiterSettings(total, Map.copyOf(byGuest), defaults);
    }

    private RateLimitConfig limitsOfAll() throws BadUsageException {
        return new RateLimitConfig(
                mode,
                arguments.longValue(DaemonOptions.MAX_BYTES, DaemonOptionRange.MAX_BYTES, GuestRateLimiter.UNLIMITED),
                (int) arguments.longValue(
                        DaemonOptions.PERIOD, DaemonOptionRange.PERIOD_MILLIS, GuestRateLimiter.MAX_PERIOD_MILLIS),
                arguments.longValue(DaemonOptions.OPS, DaemonOptionRange.OPS, GuestRateLimiter.UNLIMITED),
                arguments.longValue(DaemonOptions.BURST, DaemonOptionRange.BURST_BYTES, 0));
    }

    private static GuestRateLimiterSettings settings(GuestOptions guest, RateLimitConfig ofAll)
            throws BadUsageException {
        RateLimitConfig limits = new RateLimitConfig(
                modeOr(guest.value(GuestOptions.LIMIT_MODE), ofAll.mode()),
                guest.number("max-bytes", DaemonOptionRange.MAX_BYTES, ofAll.maxBytes()),
                (int) guest.number("period", DaemonOptionRange.PERIOD_MILLIS, ofAll.periodMillis()),
                guest.number("ops", DaemonOptionRange.OPS, ofAll.ops()),
                guest.number("burst", DaemonOptionRange.BURST_BYTES, ofAll.burst()));
        DrrGuestConfig share = new DrrGuestConfig(
                (int) guest.number(GuestOptions.WEIGHT, DaemonOptionRange.WEIGHT, 1),
                guest.number(GuestOptions.MIN_BYTES, DaemonOptionRange.MIN_BYTES, 0));
        return new GuestRateLimiterSettings(limits, share);
    }
}
