package org.vhostuserrng.daemon;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.vhostuserrng.backends.expression.KeyValueScanner;
import org.vhostuserrng.backends.limiter.DrrGuestConfig;
import org.vhostuserrng.backends.limiter.GuestRateLimiter;
import org.vhostuserrng.backends.limiter.RateLimitConfig;
import org.vhostuserrng.backends.limiter.RateLimitMode;

/** Parses the rate limiting options, including the settings of single guests ({@code --guest}). */
final class RateLimiterOptionParser {
    private static final String WEIGHT = "weight";
    private static final String MIN_BYTES = "min-bytes";
    /** Keys of {@code --guest}. All keys except weight and min-bytes override the option of the same name. */
    private static final Map<String, DaemonOptionRange> GUEST_KEYS = Map.of(
            WEIGHT,
            DaemonOptionRange.WEIGHT,
            MIN_BYTES,
            DaemonOptionRange.MIN_BYTES,
            "max-bytes",
            DaemonOptionRange.MAX_BYTES,
            "period",
            DaemonOptionRange.PERIOD_MILLIS,
            "ops",
            DaemonOptionRange.OPS,
            "burst",
            DaemonOptionRange.BURST_BYTES);

    private static final String GUEST_KEY_NAMES = "weight, min-bytes, max-bytes, period, ops or burst";

    private final DaemonArguments arguments;
    private final RateLimitMode mode;

    private RateLimiterOptionParser(DaemonArguments arguments) throws BadUsageException {
        this.arguments = arguments;
        this.mode = mode(arguments.value(DaemonOptions.LIMIT_MODE));
    }

    /**
     * Parses the rate limiting options.
     *
     * @param guests the names of all guests
     */
    static RateLimiterSettings parse(DaemonArguments arguments, Set<String> guests) throws BadUsageException {
        return new RateLimiterOptionParser(arguments).settings(guests);
    }

    private static RateLimitMode mode(String value) throws BadUsageException {
        if (value == null) {
            return RateLimitMode.SMOOTH;
        }
        return switch (value) {
            case "smooth" -> RateLimitMode.SMOOTH;
            case "window" -> RateLimitMode.WINDOW;
            default ->
                throw new BadUsageException(DaemonOptions.LIMIT_MODE + "='" + value + "': expected smooth or window");
        };
    }

    private RateLimiterSettings settings(Set<String> guests) throws BadUsageException {
        RateLimitConfig total = RateLimitConfig.ofBytes(
                mode,
                arguments.longValue(
                        DaemonOptions.TOTAL_MAX_BYTES, DaemonOptionRange.MAX_BYTES, GuestRateLimiter.UNLIMITED),
                (int) arguments.longValue(
                        DaemonOptions.TOTAL_PERIOD,
                        DaemonOptionRange.PERIOD_MILLIS,
                        GuestRateLimiter.MAX_PERIOD_MILLIS));
        Map<String, GuestRateLimiterSettings> byGuest = new LinkedHashMap<>();
        long reservedBytes = 0;
        for (String value : arguments.values(DaemonOptions.GUEST)) {
            KeyValueScanner scanner = new KeyValueScanner(value);
            String name = scanner.value();
            Map<String, Long> guestOptions = guestOptions(value, scanner);
            if (!guests.contains(name)) {
                throw unknownGuest(value, name, guests);
            }
            if (byGuest.putIfAbsent(name, guestSettings(guestOptions)) != null) {
                throw new BadUsageException(DaemonOptions.GUEST + "='" + value + "': expected each guest once");
            }
            reservedBytes += guestOptions.getOrDefault(MIN_BYTES, 0L);
            if (reservedBytes < 0 || reservedBytes > total.maxBytes()) {
                throw new BadUsageException(DaemonOptions.GUEST + "='" + value + "': expected the sum of all "
                        + MIN_BYTES + " to be at most " + DaemonOptions.TOTAL_MAX_BYTES + "="
                        + DaemonOptionRange.text(total.maxBytes()));
            }
        }
        return new RateLimiterSettings(total, Map.copyOf(byGuest), guestSettings(Map.of()));
    }

    private static BadUsageException unknownGuest(String value, String name, Set<String> guests) {
        String example = guests.iterator().next();
        String written = KeyValueScanner.quote(example);
        return new BadUsageException(DaemonOptions.GUEST + "='" + value + "': no socket has the file name '" + name
                + "'; expected "
                + (guests.size() == 1 ? "" : "one of " + guests.size() + " names such as ")
                + "'" + example + "'"
                + (written.equals(example) ? "" : " (a comma is written twice: " + written + ")"));
    }

    private GuestRateLimiterSettings guestSettings(Map<String, Long> guestOptions) throws BadUsageException {
        RateLimitConfig limits = new RateLimitConfig(
                mode,
                longValue(
                        guestOptions, DaemonOptions.MAX_BYTES, DaemonOptionRange.MAX_BYTES, GuestRateLimiter.UNLIMITED),
                (int) longValue(
                        guestOptions,
                        DaemonOptions.PERIOD,
                        DaemonOptionRange.PERIOD_MILLIS,
                        GuestRateLimiter.MAX_PERIOD_MILLIS),
                longValue(guestOptions, DaemonOptions.OPS, DaemonOptionRange.OPS, GuestRateLimiter.UNLIMITED),
                longValue(guestOptions, DaemonOptions.BURST, DaemonOptionRange.BURST_BYTES, 0));
        DrrGuestConfig share = new DrrGuestConfig(
                Math.toIntExact(guestOptions.getOrDefault(WEIGHT, 1L)), guestOptions.getOrDefault(MIN_BYTES, 0L));
        return new GuestRateLimiterSettings(limits, share);
    }

    /** The guest's own value of an option, or else the value for all guests, or else the default. */
    private long longValue(Map<String, Long> guestOptions, String option, DaemonOptionRange range, long defaultValue)
            throws BadUsageException {
        Long own = guestOptions.get(option.substring("--".length()));
        return own == null ? arguments.longValue(option, range, defaultValue) : own;
    }

    private static Map<String, Long> guestOptions(String value, KeyValueScanner scanner) throws BadUsageException {
        Map<String, String> texts;
        try {
            texts = scanner.options();
        } catch (IllegalArgumentException repeated) {
            throw new BadUsageException(
                    DaemonOptions.GUEST + "='" + value + "': " + repeated.getMessage() + "; expected each key once");
        }
        Map<String, Long> options = new LinkedHashMap<>();
        for (Map.Entry<String, String> text : texts.entrySet()) {
            DaemonOptionRange range = GUEST_KEYS.get(text.getKey());
            if (range == null) {
                throw new BadUsageException(DaemonOptions.GUEST + "='" + value + "': unknown key '" + text.getKey()
                        + "'; expected " + GUEST_KEY_NAMES + " (a comma in NAME is written twice)");
            }
            options.put(
                    text.getKey(),
                    range.parse(DaemonOptions.GUEST + "='" + value + "': " + text.getKey(), text.getValue()));
        }
        return options;
    }
}
