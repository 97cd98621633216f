package org.vhostuserrng.backends;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.vhostuserrng.backends.sys.CpuRandom.Instruction;

/**
 * Reads an expression of {@code --source}. A source is followed by its options, each after a comma; a comma that belongs
 * to a path is doubled, as in QEMU's options.
 */
final class SourceParser {
    private static final String ALLOWED =
            "expected file:PATH, getrandom, rdrand, rdseed, egd:tcp:HOST:PORT, egd:unix:PATH, qng[:LIBRARY], drbg,"
                    + " drbg(A+B) or xor(A,B)";
    private static final String MIN_ENTROPY = "min-entropy";
    private static final String HEALTH = "health";
    private static final String ON_EOF = "on-eof";
    private static final String RESEED = "reseed";
    private static final Set<String> OPTIONS = Set.of(
            MIN_ENTROPY,
            HEALTH,
            ON_EOF,
            RESEED,
            DrbgPolicy.PREDICTION_RESISTANCE,
            DrbgPolicy.RESEED_BYTES,
            DrbgPolicy.RESEED_SECONDS);

    /** More than anybody has use for, and far less than what the stack has room for. */
    private static final int DEEPEST = 16;

    private final String text;
    private int at;
    private int depth;

    SourceParser(String text) {
        this.text = text;
    }

    /** The whole text as one source. */
    SourceSpec parse() {
        // What is refused is quoted, and what is served is named in logs: one line each.
        if (text.codePoints().anyMatch(SourceParser::endsLine)) {
            throw new IllegalArgumentException("a control character in it; " + ALLOWED);
        }
        SourceSpec source = source("");
        if (at < text.length()) {
            throw new IllegalArgumentException("'" + text.substring(at) + "' is too much; " + ALLOWED);
        }
        return source;
    }

    private static boolean endsLine(int codePoint) {
        int type = Character.getType(codePoint);
        return type == Character.CONTROL || type == Character.LINE_SEPARATOR || type == Character.PARAGRAPH_SEPARATOR;
    }

    /**
     * One source and its options.
     *
     * @param ends what ends it besides the end of the text
     */
    private SourceSpec source(String ends) {
        depth++;
        if (depth > DEEPEST) {
            throw new IllegalArgumentException("more than " + DEEPEST + " sources inside each other");
        }
        SourceSpec source = sourceAtDepth(ends);
        depth--;
        return source;
    }

    private SourceSpec sourceAtDepth(String ends) {
        if (take(XorSpec.NAME + "(")) {
            return xor();
        }
        List<SharedSpec> seeds = take(DrbgSpec.NAME + "(") ? seeds() : null;
        String name = seeds == null ? word(ends) : DrbgSpec.NAME;
        Map<String, String> options = options(ends);
        SourceSpec source = seeds == null ? named(name, options) : new DrbgSpec(seeds, DrbgPolicy.of(options));
        if (!options.isEmpty()) {
            String unknown = options.keySet().iterator().next();
            throw new IllegalArgumentException("no option " + unknown + " of " + source);
        }
        return source;
    }

    private SourceSpec xor() {
        SourceSpec first = source(",)");
        expect(",");
        SourceSpec second = source(",)");
        expect(")");
        return new XorSpec(first, second);
    }

    private List<SharedSpec> seeds() {
        List<SharedSpec> seeds = new ArrayList<>();
        do {
            if (!(source("+)") instanceof SharedSpec seed)) {
                throw new IllegalArgumentException("a drbg is seeded from sources that are no drbg and no xor");
            }
            seeds.add(seed);
        } while (take("+"));
        expect(")");
        return seeds;
    }

    private boolean take(String next) {
        boolean there = text.startsWith(next, at);
        at += there ? next.length() : 0;
        return there;
    }

    private void expect(String next) {
        if (!take(next)) {
            throw new IllegalArgumentException("no '" + next + "' after '" + text.substring(0, at) + "'; " + ALLOWED);
        }
    }

    private static SourceSpec named(String name, Map<String, String> options) {
        if (name.startsWith(FileSpec.PREFIX)) {
            refuseRewinding(options);
            return FileSpec.of(name.substring(FileSpec.PREFIX.length()), rawOptions(options));
        }
        if (name.startsWith(EgdSpec.PREFIX)) {
            return EgdSpec.of(name.substring(EgdSpec.PREFIX.length()), rawOptions(options));
        }
        if (name.equals(QngSpec.NAME) || name.startsWith(QngSpec.PREFIX)) {
            return QngSpec.of(name, rawOptions(options));
        }
        return switch (name) {
            case GetrandomSpec.NAME -> new GetrandomSpec();
            case "rdrand" -> new CpuSpec(Instruction.RDRAND, reseedForced(options), rawOptions(options));
            case "rdseed" -> new CpuSpec(Instruction.RDSEED, false, rawOptions(options));
            case DrbgSpec.NAME -> DrbgSpec.of(DrbgPolicy.of(options));
            default -> throw new IllegalArgumentException(ALLOWED);
        };
    }

    private static boolean reseedForced(Map<String, String> options) {
        String reseed = options.remove(RESEED);
        if (reseed != null && !reseed.equals("forced")) {
            throw new IllegalArgumentException("reseed=" + reseed + ": expected forced");
        }
        return reseed != null;
    }

    private static void refuseRewinding(Map<String, String> options) {
        String onEof = options.remove(ON_EOF);
        if (onEof != null && !onEof.equals("stop")) {
            throw new IllegalArgumentException(
                    "on-eof=" + onEof + ": expected stop, since no byte is ever given out twice");
        }
    }

    private static RawOptions rawOptions(Map<String, String> options) {
        String health = options.remove(HEALTH);
        if (health != null && !health.equals("on") && !health.equals("off")) {
            throw new IllegalArgumentException("health=" + health + ": expected on or off");
        }
        String minEntropy = options.remove(MIN_ENTROPY);
        double bits = minEntropy == null ? RawOptions.UNSTATED : minEntropy(minEntropy);
        return new RawOptions(bits, !"off".equals(health));
    }

    private static double minEntropy(String value) {
        double bits;
        try {
            bits = Double.parseDouble(value);
        } catch (NumberFormatException notANumber) {
            bits = Double.NaN;
        }
        // Below, more samples than the start-up tests have would have to be the same.
        if (!(bits >= 0.02 && bits <= 8)) {
            throw new IllegalArgumentException(MIN_ENTROPY + "=" + value + ": expected bits of a byte, 0.02 to 8");
        }
        return bits;
    }

    private Map<String, String> options(String ends) {
        Map<String, String> options = new LinkedHashMap<>();
        while (at < text.length() && text.charAt(at) == ',' && (!ends.contains(",") || isOption(at + 1))) {
            at++;
            String option = word(ends);
            int equals = option.indexOf('=');
            String name = equals < 0 ? option : option.substring(0, equals);
            String value = equals < 0 ? "" : option.substring(equals + 1);
            if (options.put(name, value) != null) {
                throw new IllegalArgumentException("option " + name + " is there twice");
            }
        }
        return options;
    }

    /** Whether an option begins there, and not another source. */
    private boolean isOption(int from) {
        int end = from;
        while (end < text.length() && "=,)".indexOf(text.charAt(end)) < 0) {
            end++;
        }
        return OPTIONS.contains(text.substring(from, end));
    }

    /** Up to a comma, or to one of {@code ends}; two commas are one of the word. */
    private String word(String ends) {
        StringBuilder word = new StringBuilder();
        while (at < text.length()) {
            char next = text.charAt(at);
            if (ends.indexOf(next) >= 0) {
                break;
            }
            if (next == ',') {
                if (at + 1 >= text.length() || text.charAt(at + 1) != ',') {
                    break;
                }
                at++;
            }
            word.append(next);
            at++;
        }
        return word.toString();
    }
}
