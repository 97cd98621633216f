package org.vhostuserrng.backends.expression;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.vhostuserrng.backends.drbg.DrbgReseedPolicy;
import org.vhostuserrng.backends.drbg.DrbgSourceSpec;
import org.vhostuserrng.backends.egd.EgdSourceSpec;
import org.vhostuserrng.backends.local.ComScireQngSourceSpec;
import org.vhostuserrng.backends.local.CommandSourceSpec;
import org.vhostuserrng.backends.local.CpuRngSourceSpec;
import org.vhostuserrng.backends.local.FileSourceSpec;
import org.vhostuserrng.backends.local.GetrandomMethod;
import org.vhostuserrng.backends.local.GetrandomSourceSpec;
import org.vhostuserrng.backends.readahead.NoiseSourceOptions;
import org.vhostuserrng.backends.readahead.NoiseSourceOptions.HealthTests;
import org.vhostuserrng.backends.source.EntropySourceSpec;
import org.vhostuserrng.backends.source.SharedSourceSpec;
import org.vhostuserrng.backends.source.XorSourceSpec;
import org.vhostuserrng.backends.sys.RdrandRdseed.Instruction;

/**
 * A recursive-descent parser for {@code --source} expressions: a source and its options, separated by commas.
 * {@link KeyValueScanner} describes how a comma is quoted.
 */
public final class SourceExpressionParser {
    private static final String SYNTAX =
            "expected file:PATH, getrandom, rdrand, rdseed, egd:tcp:HOST:PORT, egd:unix:PATH, qng[:LIBRARY],"
                    + " command:PROGRAM ARGUMENTS, drbg, drbg(A+B) or xor(A,B)";
    private static final String MIN_ENTROPY = "min-entropy";
    private static final String HEALTH = "health";
    private static final String ON_EOF = "on-eof";
    private static final String RESEED = "reseed";
    private static final Set<String> OPTIONS = Set.of(
            MIN_ENTROPY,
            HEALTH,
            ON_EOF,
            FileSourceSpec.BAUD,
            RESEED,
            GetrandomSourceSpec.VIA,
            DrbgReseedPolicy.PREDICTION_RESISTANCE,
            DrbgReseedPolicy.RESEED_BYTES,
            DrbgReseedPolicy.RESEED_SECONDS,
            DrbgReseedPolicy.SEED_FROM);

    /** Maximum nesting depth, which limits the recursion. Useful expressions are less deep. */
    private static final int MAX_DEPTH = 16;

    private final KeyValueScanner scanner;
    private final boolean testedByReader;
    private int depth;

    private SourceExpressionParser(String text, boolean testedByReader) {
        this.scanner = new KeyValueScanner(text);
        this.testedByReader = testedByReader;
    }

    /**
     * Parses an expression.
     *
     * @throws IllegalArgumentException if the expression is malformed; the message is one line that states the syntax
     */
    public static EntropySourceSpec parse(String expression) {
        return parse(expression, false);
    }

    /**
     * Parses an expression for a program that runs its own health tests: a noise source that is not inside a
     * {@code drbg} or {@code xor} returns its raw output.
     *
     * @throws IllegalArgumentException if the expression is malformed; the message is one line that states the syntax
     */
    public static EntropySourceSpec parseUntested(String expression) {
        return parse(expression, true);
    }

    private static EntropySourceSpec parse(String expression, boolean testedByReader) {
        // Refuses line breaks, because error messages and log lines contain the expression, and each must stay on one
        // line.
        if (expression.codePoints().anyMatch(SourceExpressionParser::breaksLine)) {
            throw new IllegalArgumentException("it contains a control character; " + SYNTAX);
        }
        return new SourceExpressionParser(expression, testedByReader).parseAll();
    }

    private static boolean breaksLine(int codePoint) {
        int type = Character.getType(codePoint);
        return type == Character.CONTROL || type == Character.LINE_SEPARATOR || type == Character.PARAGRAPH_SEPARATOR;
    }

    private EntropySourceSpec parseAll() {
        EntropySourceSpec source = source("");
        if (!scanner.isAtEnd()) {
            throw new IllegalArgumentException("unexpected '" + scanner.remaining() + "'; " + SYNTAX);
        }
        return source;
    }

    /**
     * Parses one source and its options.
     *
     * @param terminators characters that may follow the source
     */
    private EntropySourceSpec source(String terminators) {
        depth++;
        if (depth > MAX_DEPTH) {
            throw new IllegalArgumentException("sources are nested more than " + MAX_DEPTH + " deep");
        }
        EntropySourceSpec source = sourceAtDepth(terminators);
        depth--;
        return source;
    }

    private EntropySourceSpec sourceAtDepth(String terminators) {
        if (scanner.skip(XorSourceSpec.NAME + "(")) {
            return xor();
        }
        List<SharedSourceSpec> seeds = scanner.skip(DrbgSourceSpec.NAME + "(") ? seeds() : null;
        String name = seeds == null ? name(terminators) : DrbgSourceSpec.NAME;
        // If a comma can also separate sources, it begins an option only before a known key.
        boolean commaSeparatesSources = terminators.contains(",");
        Map<String, String> options =
                scanner.options(terminators, key -> !commaSeparatesSources || OPTIONS.contains(key));
        EntropySourceSpec source =
                seeds == null ? named(name, options) : new DrbgSourceSpec(seeds, DrbgReseedPolicy.of(options));
        if (!options.isEmpty()) {
            String unknown = options.keySet().iterator().next();
            throw new IllegalArgumentException(source + " has no option " + unknown);
        }
        return source;
    }

    private String name(String terminators) {
        return scanner.remaining().startsWith(CommandSourceSpec.PREFIX)
                ? scanner.commandLine(terminators)
                : scanner.value(terminators);
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
                throw new IllegalArgumentException("a drbg cannot be seeded from a drbg or xor");
            }
            seeds.add(seed);
        } while (scanner.skip("+"));
        expect(")");
        return seeds;
    }

    private void expect(String next) {
        if (!scanner.skip(next)) {
            throw new IllegalArgumentException("no '" + next + "' after '" + scanner.consumed() + "'; " + SYNTAX);
        }
    }

    private EntropySourceSpec named(String name, Map<String, String> options) {
        if (name.startsWith(FileSourceSpec.PREFIX)) {
            requireStopAtEndOfFile(options);
            return FileSourceSpec.of(name.substring(FileSourceSpec.PREFIX.length()), options, noiseOptions(options));
        }
        if (name.startsWith(EgdSourceSpec.PREFIX)) {
            return EgdSourceSpec.of(name.substring(EgdSourceSpec.PREFIX.length()), noiseOptions(options));
        }
        if (name.startsWith(CommandSourceSpec.PREFIX)) {
            return CommandSourceSpec.of(name.substring(CommandSourceSpec.PREFIX.length()), noiseOptions(options));
        }
        if (name.equals(ComScireQngSourceSpec.NAME) || name.startsWith(ComScireQngSourceSpec.PREFIX)) {
            return ComScireQngSourceSpec.of(name, noiseOptions(options));
        }
        return switch (name) {
            case GetrandomSourceSpec.NAME -> getrandom(options);
            case "rdrand" -> new CpuRngSourceSpec(Instruction.RDRAND, reseedForced(options), noiseOptions(options));
            case "rdseed" -> new CpuRngSourceSpec(Instruction.RDSEED, false, noiseOptions(options));
            case DrbgSourceSpec.NAME -> new DrbgSourceSpec(defaultSeeds(), DrbgReseedPolicy.of(options));
            default -> throw new IllegalArgumentException(SYNTAX);
        };
    }

    private static GetrandomSourceSpec getrandom(Map<String, String> options) {
        String via = options.remove(GetrandomSourceSpec.VIA);
        return new GetrandomSourceSpec(via == null ? null : GetrandomMethod.of(via));
    }

    /** Returns the default seed sources: RDSEED if the processor has it and it works, and getrandom. */
    private static List<SharedSourceSpec> defaultSeeds() {
        SharedSourceSpec processor = new CpuRngSourceSpec(Instruction.RDSEED, false, NoiseSourceOptions.NONE);
        SharedSourceSpec kernel = new GetrandomSourceSpec();
        return isUsable(processor) ? List.of(processor, kernel) : List.of(kernel);
    }

    private static boolean isUsable(SharedSourceSpec source) {
        try {
            source.probe();
            return true;
        } catch (IOException unusable) {
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

    private static void requireStopAtEndOfFile(Map<String, String> options) {
        String onEof = options.remove(ON_EOF);
        if (onEof != null && !onEof.equals("stop")) {
            throw new IllegalArgumentException("on-eof=" + onEof + ": expected stop, since no byte is used twice");
        }
    }

    private NoiseSourceOptions noiseOptions(Map<String, String> options) {
        String health = options.remove(HEALTH);
        if (health != null && !health.equals("on") && !health.equals("off")) {
            throw new IllegalArgumentException("health=" + health + ": expected on or off");
        }
        String minEntropy = options.remove(MIN_ENTROPY);
        double bits = minEntropy == null ? NoiseSourceOptions.MIN_ENTROPY_UNSET : minEntropy(minEntropy);
        return new NoiseSourceOptions(bits, healthTests(health));
    }

    private HealthTests healthTests(String health) {
        if (testedByReader && health == null && depth == 1) {
            return HealthTests.BY_READER;
        }
        return "off".equals(health) ? HealthTests.OFF : HealthTests.ON;
    }

    private static double minEntropy(String value) {
        double bits;
        try {
            bits = Double.parseDouble(value);
        } catch (NumberFormatException notANumber) {
            bits = Double.NaN;
        }
        // Below 0.02, the cutoff of the repetition count test would exceed the number of start-up samples.
        if (!(bits >= 0.02 && bits <= 8)) {
            throw new IllegalArgumentException(MIN_ENTROPY + "=" + value + ": expected 0.02 to 8 bits per byte");
        }
        return bits;
    }
}
