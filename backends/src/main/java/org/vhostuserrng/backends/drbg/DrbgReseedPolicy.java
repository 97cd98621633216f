package org.vhostuserrng.backends.drbg;

import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * When and from which sources a DRBG is reseeded. At a limit, the DRBG starts to collect entropy, but continues to
 * generate output. At twice the limit, it generates no output until it is reseeded.
 *
 * @param reseedBytes limit of bytes generated since the last seed, at least 1
 * @param reseedSeconds limit of seconds since the last seed, at least 1; checked at each request
 * @param predictionResistance whether to reseed for each request (SP 800-90Ar1 §8.8)
 * @param seedFromAny whether a seed may omit sources that fail or return nothing, instead of waiting for all sources
 */
public record DrbgReseedPolicy(
        long reseedBytes, long reseedSeconds, boolean predictionResistance, boolean seedFromAny) {
    /** Option without a value: reseeds for each request. */
    public static final String PREDICTION_RESISTANCE = "prediction-resistance";
    /** Option: number of bytes between reseeds. */
    public static final String RESEED_BYTES = "reseed-bytes";
    /** Option: number of seconds between reseeds. */
    public static final String RESEED_SECONDS = "reseed-seconds";
    /** Option: whether a seed needs {@code all} sources or {@code any} of them. */
    public static final String SEED_FROM = "seed-from";

    private static final String ALL = "all";
    private static final String ANY = "any";

    /**
     * The default number of bytes. With it, a guest that reads 1.5 GB/s uses one or two kilobytes of entropy input per
     * second, too little to exhaust a slow source. SP 800-90Ar1 permits 2^48 requests between reseeds.
     */
    private static final long DEFAULT_BYTES = 64L << 20;
    /**
     * The default number of seconds, which limits the time for which a compromised state is useful to an attacker.
     * Earlier versions of Linux's CRNG used the same interval.
     */
    private static final long DEFAULT_SECONDS = 300;

    private static final long MAX_RESEED_BYTES = 1L << 40;
    private static final long MAX_RESEED_SECONDS = TimeUnit.DAYS.toSeconds(1);

    static final DrbgReseedPolicy DEFAULT = new DrbgReseedPolicy(DEFAULT_BYTES, DEFAULT_SECONDS, false, false);

    /**
     * Parses the options of a policy, and removes them from {@code options}.
     *
     * @throws IllegalArgumentException if a value is out of range
     */
    public static DrbgReseedPolicy of(Map<String, String> options) {
        String resistance = options.remove(PREDICTION_RESISTANCE);
        if (resistance != null && !resistance.isEmpty()) {
            throw new IllegalArgumentException(PREDICTION_RESISTANCE + "=" + resistance + ": expected no value");
        }
        String seedFrom = options.remove(SEED_FROM);
        if (seedFrom != null && !seedFrom.equals(ALL) && !seedFrom.equals(ANY)) {
            throw new IllegalArgumentException(SEED_FROM + "=" + seedFrom + ": expected all or any");
        }
        return new DrbgReseedPolicy(
                number(options, RESEED_BYTES, DEFAULT_BYTES, MAX_RESEED_BYTES),
                number(options, RESEED_SECONDS, DEFAULT_SECONDS, MAX_RESEED_SECONDS),
                resistance != null,
                ANY.equals(seedFrom));
    }

    private static long number(Map<String, String> options, String name, long defaultValue, long max) {
        String value = options.remove(name);
        if (value == null) {
            return defaultValue;
        }
        long number;
        try {
            number = Long.parseLong(value);
        } catch (NumberFormatException notANumber) {
            number = 0;
        }
        if (number < 1 || number > max) {
            throw new IllegalArgumentException(name + "=" + value + ": expected 1 to " + max);
        }
        return number;
    }

    boolean isDue(long bytes, long nanos) {
        return bytes >= reseedBytes || TimeUnit.NANOSECONDS.toSeconds(nanos) >= reseedSeconds;
    }

    boolean isOverdue(long bytes, long nanos) {
        return bytes / 2 >= reseedBytes || TimeUnit.NANOSECONDS.toSeconds(nanos) / 2 >= reseedSeconds;
    }

    /** Returns the policy in the syntax of the options, without the options that have their default value. */
    @Override
    public String toString() {
        return (reseedBytes == DEFAULT_BYTES ? "" : "," + RESEED_BYTES + "=" + reseedBytes)
                + (reseedSeconds == DEFAULT_SECONDS ? "" : "," + RESEED_SECONDS + "=" + reseedSeconds)
                + (predictionResistance ? "," + PREDICTION_RESISTANCE : "")
                + (seedFromAny ? "," + SEED_FROM + "=" + ANY : "");
    }
}
