package org.vhostuserrng.backends.expression;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.vhostuserrng.backends.drbg.DrbgReseedPolicy;
import org.vhostuserrng.backends.drbg.DrbgSourceSpec;
import org.vhostuserrng.backends.egd.EgdSourceSpec;
import org.vhostuserrng.backends.local.ComScireQngSourceSpec;
import org.vhostuserrng.backends.local.CpuRngSourceSpec;
import org.vhostuserrng.backends.local.FileSourceSpec;
import org.vhostuserrng.backends.local.GetrandomSourceSpec;
import org.vhostuserrng.backends.readahead.NoiseSourceOptions;
import org.vhostuserrng.backends.source.EntropySourceSpec;
import org.vhostuserrng.backends.source.SharedSourceSpec;
import org.vhostuserrng.backends.source.XorSourceSpec;
import org.vhostuserrng.backends.sys.RdrandRdseed.Instruction;

/**
 * Reads an expression of {@code --source}. A source is followed by its options, each after a comma; a comma that belongs
 * to a path is doubled, as in QEMU's options.
 */
public final class SourceExpressionParser {
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
            DrbgReseedPolicy.PREDICTION_RESISTANCE,
            DrbgReseedPolicy.RESEED_BYTES,
            DrbgReseedPolicy.RESEED_SECONDS);

    /** More than anybody has use for, and far less than what the stack has room for. */
    private static final int DEEPEST = 16;

    private final String text;
    private int at;
    private int depth;

    private SourceExpressionParser(String text) {
        this.text = text;
    }

    /**
     * Parses one expression.
     *
     * @throws IllegalArgumentException with the allowed forms, if the expression is malformed
     */
    public static EntropySourceSpec parse(String expression) {
        return new SourceExpressionParser(expression).parseAll();
    }

    private EntropySourceSpec parseAll() {
        // What is refused is quoted, and what is served is named in logs: one line each.
        if (text.codePoints().anyMatch(SourceExpressionParser::endsLine)) {
            throw new IllegalArgumentException("a control character in it; " + ALLOWED);
        }
        EntropySourceSpec source = source("");
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
    private EntropySourceSpec source(String ends) {
        depth++;
        if (depth > DEEPEST) {
            throw new IllegalArgumentException("more than " + DEEPEST + " sources inside each other");
        }
        EntropySourceSpec source = sourceAtDepth(ends);
        depth--;
        return source;
    }

    private EntropySourceSpec sourceAtDepth(String ends) {
        if (take(XorSourceSpec.NAME + "(")) {
            return xor();
        }
        List<SharedSourceSpec> seeds = take(DrbgSourceSpec.NAME + "(") ? seeds() : null;
        String name = seeds == null ? word(ends) : DrbgSourceSpec.NAME;
        Map<String, String> options = options(ends);
        EntropySourceSpec source =
                seeds == null ? named(name, options) : new DrbgSourceSpec(seeds, DrbgReseedPolicy.of(options));
        if (!options.isEmpty()) {
            String unknown = options.keySet().iterator().next();
            throw new IllegalArgumentException("no option " + unknown + " of " + source);
        }
        return source;
    }

    private EntropySourceSpec xor() {
        EntropySourceSpec first = source(",)");
        expect(",");
        EntropySourceSpec second = source(",)");
        expect(")");
        return new XorSourceSpec(first, second);
    }

    private List<SharedSourceSpec> seeds() {
        List<SharedSourceSpec> seeds = new ArrayList<>();
        do {
            if (!(source("+)") instanceof SharedSourceSpec seed)) {
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

    private static EntropySourceSpec named(String name, Map<String, String> options) {
        if (name.startsWith(FileSourceSpec.PREFIX)) {
            refuseRewinding(options);
            return FileSourceSpec.of(name.substring(FileSourceSpec.PREFIX.length()), rawOptions(options));
        }
        if (name.startsWith(EgdSourceSpec.PREFIX)) {
            return EgdSourceSpec.of(name.substring(EgdSourceSpec.PREFIX.length()), rawOptions(options));
        }
        if (name.equals(ComScireQngSourceSpec.NAME) || name.startsWith(ComScireQngSourceSpec.PREFIX)) {
            return ComScireQngSourceSpec.of(name, rawOptions(options));
        }
        return switch (name) {
            case GetrandomSourceSpec.NAME -> new GetrandomSourceSpec();
            case "rdrand" -> new CpuRngSourceSpec(Instruction.RDRAND, reseedForced(options), rawOptions(options));
            case "rdseed" -> new CpuRngSourceSpec(Instruction.RDSEED, false, rawOptions(options));
            case DrbgSourceSpec.NAME -> new DrbgSourceSpec(defaultSeeds(), DrbgReseedPolicy.of(options));
            default -> throw new IllegalArgumentException(ALLOWED);
        };
    }

    /** RDSEED, if the processor has a working one, and the kernel's generator. */
    private static List<SharedSourceSpec> defaultSeeds() {
        SharedSourceSpec processor = new CpuRngSourceSpec(Instruction.RDSEED, false, NoiseSourceOptions.NONE);
        SharedSourceSpec kernel = new GetrandomSourceSpec();
        return isUsable(processor) ? List.of(processor, kernel) : List.of(kernel);
    }

    private static boolean isUsable(SharedSourceSpec source) {
        try {
            source.check();
            return true;
        } catch (IOException lacking) {
            return false;
        }
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

    private static NoiseSourceOptions rawOptions(Map<String, String> options) {
        String health = options.remove(HEALTH);
        if (health != null && !health.equals("on") && !health.equals("off")) {
            throw new IllegalArgumentException("health=" + health + ": expected on or off");
        }
        String minEntropy = options.remove(MIN_ENTROPY);
        double bits = minEntropy == null ? NoiseSourceOptions.UNSTATED : minEntropy(minEntropy);
        return new NoiseSourceOptions(bits, !"off".equals(health));
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
