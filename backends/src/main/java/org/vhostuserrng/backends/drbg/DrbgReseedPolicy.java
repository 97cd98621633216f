package org.vhostuserrng.backends.drbg;

import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * When a DRBG is given new entropy. From the first limit on it is collected, while requests go on being served; at
 * twice the limit they wait for it.
 *
 * @param reseedBytes generated since the last seed; at least 1
 * @param reseedSeconds passed since the last seed, looked at when something is asked for; at least 1
 * @param predictionResistance new entropy for each request, SP 800-90Ar1 §8.8
 */
public record DrbgReseedPolicy(long reseedBytes, long reseedSeconds, boolean predictionResistance) {
    public static final String PREDICTION_RESISTANCE = "prediction-resistance";
    public static final String RESEED_BYTES = "reseed-bytes";
    public static final String RESEED_SECONDS = "reseed-seconds";

    /**
     * A guest that takes 1.5 GB/s costs its seed sources a kilobyte or two a second then, so that it cannot dry up a slow
     * one for the others. The standard would allow 2^48 requests.
     */
    private static final long DEFAULT_BYTES = 64L << 20;
    /** How long at most a state that became known goes on being of use: as the kernel's own generator once had it. */
    private static final long DEFAULT_SECONDS = 300;

    private static final long MOST_BYTES = 1L << 40;
    private static final long MOST_SECONDS = TimeUnit.DAYS.toSeconds(1);

    static final DrbgReseedPolicy DEFAULT = new DrbgReseedPolicy(DEFAULT_BYTES, DEFAULT_SECONDS, false);

    /** What the options of an expression say; takes them out. */
    public static DrbgReseedPolicy of(Map<String, String> options) {
        String resistance = options.remove(PREDICTION_RESISTANCE);
        if (resistance != null && !resistance.isEmpty()) {
            throw new IllegalArgumentException(PREDICTION_RESISTANCE + "=" + resistance + ": expected no value");
        }
        return new DrbgReseedPolicy(
                number(options, RESEED_BYTES, DEFAULT_BYTES, MOST_BYTES),
                number(options, RESEED_SECONDS, DEFAULT_SECONDS, MOST_SECONDS),
                resistance != null);
    }

    private static long number(Map<String, String> options, String name, long unstated, long most) {
        String value = options.remove(name);
        if (value == null) {
            return unstated;
        }
        long number;
        try {
            number = Long.parseLong(value);
        } catch (NumberFormatException notANumber) {
            number = 0;
        }
        if (number < 1 || number > most) {
            throw new IllegalArgumentException(name + "=" + value + ": expected 1 to " + most);
        }
        return number;
    }

    boolean isDue(long bytes, long nanos) {
        return bytes >= reseedBytes || TimeUnit.NANOSECONDS.toSeconds(nanos) >= reseedSeconds;
    }

    boolean isOverdue(long bytes, long nanos) {
        return bytes / 2 >= reseedBytes || TimeUnit.NANOSECONDS.toSeconds(nanos) / 2 >= reseedSeconds;
    }

    /** As options are written, those that say something. */
    @Override
    public String toString() {
        return (reseedBytes == DEFAULT_BYTES ? "" : "," + RESEED_BYTES + "=" + reseedBytes)
                + (reseedSeconds == DEFAULT_SECONDS ? "" : "," + RESEED_SECONDS + "=" + reseedSeconds)
                + (predictionResistance ? "," + PREDICTION_RESISTANCE : "");
    }
}
