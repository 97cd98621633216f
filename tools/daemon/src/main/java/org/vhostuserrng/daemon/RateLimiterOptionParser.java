package org.vhostuserrng.daemon;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.vhostuserrng.backends.expression.KeyValueScanner;
import org.vhostuserrng.backends.limiter.DrrGuestConfig;
import org.vhostuserrng.backends.limiter.GuestRateLimiter;
import org.vhostuserrng.backends.limiter.RateLimitConfig;
import org.vhostuserrng.backends.limiter.RateLimitMode;

/** What a command line says of limits and shares. */
final class RateLimiterOptionParser {
    private static final String WEIGHT = "weight";
    private static final String MIN_BYTES = "min-bytes";
    /** What {@code --guest} may say of a guest; others have the option of that name, if there is one. */
    private static final Map<String, DaemonOptionRange> OF_A_GUEST = Map.of(
            WEIGHT,
            DaemonOptionRange.WEIGHT,
            MIN_BYTES,
            DaemonOptionRange.MIN_BYTES,
            "max-bytes",
            DaemonOptionRange.MAX_BYTES,
            "period",
            DaemonOptionRange.PERIOD,
            "ops",
            DaemonOptionRange.OPS,
            "burst",
            DaemonOptionRange.BURST);

    private static final String FORM = "NAME[,weight=W][,min-bytes=N][,max-bytes=N][,period=MS][,ops=N][,burst=N]";

    private final DaemonArguments arguments;
    private final RateLimitMode mode;

    private RateLimiterOptionParser(DaemonArguments arguments) throws BadUsageException {
        this.arguments = arguments;
        this.mode = mode(arguments.value(DaemonOptions.LIMIT_MODE));
    }

    /**
     * Reads the options of the limiter.
     *
     * @param guests the names of all guests
     */
    static RateLimiterSettings read(DaemonArguments arguments, Set<String> guests) throws BadUsageException {
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
                arguments.number(
                        DaemonOptions.TOTAL_MAX_BYTES, DaemonOptionRange.MAX_BYTES, GuestRateLimiter.UNLIMITED),
                (int) arguments.number(
                        DaemonOptions.TOTAL_PERIOD, DaemonOptionRange.PERIOD, GuestRateLimiter.MAX_PERIOD_MILLIS));
        Map<String, GuestRateLimiterSettings> named = new LinkedHashMap<>();
        long promised = 0;
        for (String value : arguments.values(DaemonOptions.GUEST)) {
            KeyValueScanner scanner = new KeyValueScanner(value);
            String name = scanner.value();
            Map<String, Long> said = said(value, scanner);
            if (!guests.contains(name)) {
                throw new BadUsageException(DaemonOptions.GUEST + "='" + value + "': expected the name of a socket, "
                        + (guests.size() == 1 ? "" : "one of " + guests.size() + " like ")
                        + guests.iterator().next());
            }
            if (named.putIfAbsent(name, terms(said)) != null) {
                throw new BadUsageException(DaemonOptions.GUEST + "='" + value + "': expected each guest once");
            }
            promised += said.getOrDefault(MIN_BYTES, 0L);
            if (promised < 0 || promised > total.maxBytes()) {
                throw new BadUsageException(DaemonOptions.GUEST + "='" + value + "': expected all " + MIN_BYTES
                        + " to be at most " + DaemonOptions.TOTAL_MAX_BYTES + "=" + total.maxBytes() + " together");
            }
        }
        return new RateLimiterSettings(total, Map.copyOf(named), terms(Map.of()));
    }

    private GuestRateLimiterSettings terms(Map<String, Long> said) throws BadUsageException {
        RateLimitConfig limits = new RateLimitConfig(
                mode,
                number(said, DaemonOptions.MAX_BYTES, DaemonOptionRange.MAX_BYTES, GuestRateLimiter.UNLIMITED),
                (int) number(said, DaemonOptions.PERIOD, DaemonOptionRange.PERIOD, GuestRateLimiter.MAX_PERIOD_MILLIS),
                number(said, DaemonOptions.OPS, DaemonOptionRange.OPS, GuestRateLimiter.UNLIMITED),
                number(said, DaemonOptions.BURST, DaemonOptionRange.BURST, 0));
        DrrGuestConfig claim =
                new DrrGuestConfig(Math.toIntExact(said.getOrDefault(WEIGHT, 1L)), said.getOrDefault(MIN_BYTES, 0L));
        return new GuestRateLimiterSettings(limits, claim);
    }

    /** What is said of one guest, or of all. */
    private long number(Map<String, Long> said, String option, DaemonOptionRange bounds, long otherwise)
            throws BadUsageException {
        Long own = said.get(option.substring("--".length()));
        return own == null ? arguments.number(option, bounds, otherwise) : own;
    }

    /** The keys and values after the name. */
    private static Map<String, Long> said(String value, KeyValueScanner scanner) throws BadUsageException {
        Map<String, String> options;
        try {
            options = scanner.options();
        } catch (IllegalArgumentException repeated) {
            throw new BadUsageException(
                    DaemonOptions.GUEST + "='" + value + "': " + repeated.getMessage() + ", expected " + FORM);
        }
        Map<String, Long> said = new LinkedHashMap<>();
        for (Map.Entry<String, String> option : options.entrySet()) {
            DaemonOptionRange range = OF_A_GUEST.get(option.getKey());
            if (range == null || option.getValue().isEmpty()) {
                throw new BadUsageException(
                        DaemonOptions.GUEST + "='" + value + "': '" + option.getKey() + "', expected " + FORM);
            }
            said.put(
                    option.getKey(),
                    range.read(DaemonOptions.GUEST + "='" + value + "': " + option.getKey(), option.getValue()));
        }
        return said;
    }
}
