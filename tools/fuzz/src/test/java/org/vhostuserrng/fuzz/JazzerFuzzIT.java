package org.vhostuserrng.fuzz;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.code_intelligence.jazzer.Jazzer;
import com.code_intelligence.jazzer.sanitizers.Constants;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Runs Jazzer on each target for {@code fuzz.seconds} seconds, in a separate process, with the seeds of the unit tests
 * and the inputs that earlier runs added. {@code fuzz.target} is a regular expression that selects targets. An input
 * that makes a target fail stays in {@code target/fuzz}; commit it as a regression input together with the fix.
 */
class JazzerFuzzIT {
    private static final int SECONDS = Integer.getInteger("fuzz.seconds");
    private static final String SELECTED = System.getProperty("fuzz.target", ".*");
    /** An input that takes longer is reported as a hang. The first input is slow, because it loads all classes. */
    private static final int INPUT_TIMEOUT_SECONDS = 300;
    /** Time limit for everything except fuzzing: start, loading of the corpus, exit. */
    private static final int OVERHEAD_TIMEOUT_SECONDS = 600;

    /** Minimum duration for which the C2 compiler is used. */
    private static final int MIN_SECONDS_FOR_C2 = 20;

    private static final int MAX_INPUT_BYTES = 4096;
    private static final int LOG_LINES = 60;

    static Stream<Class<?>> targets() {
        return FuzzTargets.all().filter(target -> target.getSimpleName().matches(SELECTED));
    }

    @ParameterizedTest
    @MethodSource("targets")
    void acceptsGeneratedInputs(Class<?> target) throws IOException, InterruptedException {
        Path findings = Files.createDirectories(FuzzCorpus.findings(target));
        Path log = findings.resolveSibling("log");

        Process fuzzer = new ProcessBuilder(command(target, findings))
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        boolean ended = fuzzer.waitFor(SECONDS + OVERHEAD_TIMEOUT_SECONDS, TimeUnit.SECONDS);
        fuzzer.destroyForcibly();

        String output = log + ":\n" + tail(log);
        assertTrue(ended, output);
        assertEquals(0, fuzzer.exitValue(), output);
    }

    private static List<String> command(Class<?> target, Path findings) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(ProcessHandle.current().info().command().orElseThrow());
        command.addAll(List.of("-Xmx512m", "-XX:+UseSerialGC", "-XX:+EnableDynamicAgentLoading"));
        if (SECONDS < MIN_SECONDS_FOR_C2) {
            command.add("-XX:TieredStopAtLevel=1");
        }
        command.addAll(List.of(System.getProperty("fuzz.jvm.flags").split(" ", -1)));
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), Jazzer.class.getName()));
        command.add("--target_class=" + target.getName());
        command.add("--instrumentation_includes=org.vhostuserrng.**");
        command.add("--custom_hook_includes=org.vhostuserrng.**");
        // Jazzer's sanitizers (SQL and others) find nothing in this project; their installation takes most of the start
        // time.
        command.add("--disabled_hooks=" + String.join(":", Constants.SANITIZER_HOOK_NAMES));
        command.add("--reproducer_path=" + findings);
        command.addAll(List.of(
                "-max_total_time=" + SECONDS,
                "-timeout=" + INPUT_TIMEOUT_SECONDS,
                "-max_len=" + MAX_INPUT_BYTES,
                "-print_final_stats=1",
                "-artifact_prefix=" + findings + "/"));
        command.add(Files.createDirectories(FuzzCorpus.grown(target)).toString());
        command.add(FuzzCorpus.seeds(target).toString());
        FuzzCorpus.regressions(target).stream()
                .map(input -> input.getParent().toString())
                .findFirst()
                .ifPresent(command::add);
        return command;
    }

    private static String tail(Path log) throws IOException {
        List<String> lines = Files.readAllLines(log);
        return String.join("\n", lines.subList(Math.max(0, lines.size() - LOG_LINES), lines.size()));
    }
}
