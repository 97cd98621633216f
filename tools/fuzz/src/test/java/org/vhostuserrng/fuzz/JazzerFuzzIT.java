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
 * Jazzer on each target, from the corpus that the unit tests wrote and what earlier runs added to it, each in a process of
 * its own: for the {@code fuzz.seconds} of the build, {@code fuzz.target} being a regular expression for some of them. An
 * input that a target does not survive stays in {@code target/fuzz}; with what mends it, it becomes a regression input.
 */
class JazzerFuzzIT {
    private static final int SECONDS = Integer.getInteger("fuzz.seconds");
    private static final String CHOSEN = System.getProperty("fuzz.target", ".*");
    /** A target that takes so long for one input hangs. The first one has all classes loaded, maybe on a busy machine. */
    private static final int SECONDS_AN_INPUT = 60;
    /** To start, to load the corpus and to end. */
    private static final int SECONDS_BESIDES = 120;

    private static final int SECONDS_WORTH_OPTIMISING = 20;
    private static final int LONGEST_INPUT = 4096;
    private static final int LINES_OF_LOG = 60;

    static Stream<Class<?>> targets() {
        return FuzzTargets.all().filter(target -> target.getSimpleName().matches(CHOSEN));
    }

    @ParameterizedTest
    @MethodSource("targets")
    void survivesWhatJazzerMakesUp(Class<?> target) throws IOException, InterruptedException {
        Path findings = Files.createDirectories(FuzzCorpus.findings(target));
        Path log = findings.resolveSibling("log");

        Process fuzzer = new ProcessBuilder(command(target, findings))
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        boolean ended = fuzzer.waitFor(SECONDS + SECONDS_BESIDES, TimeUnit.SECONDS);
        fuzzer.destroyForcibly();

        String said = log + ":\n" + tail(log);
        assertTrue(ended, said);
        assertEquals(0, fuzzer.exitValue(), said);
    }

    private static List<String> command(Class<?> target, Path findings) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(ProcessHandle.current().info().command().orElseThrow());
        command.addAll(List.of("-Xmx512m", "-XX:+UseSerialGC", "-XX:+EnableDynamicAgentLoading"));
        if (SECONDS < SECONDS_WORTH_OPTIMISING) {
            command.add("-XX:TieredStopAtLevel=1");
        }
        command.addAll(List.of(System.getProperty("fuzz.jvm.flags").split(" ", -1)));
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), Jazzer.class.getName()));
        command.add("--target_class=" + target.getName());
        command.add("--instrumentation_includes=org.vhostuserrng.**");
        command.add("--custom_hook_includes=org.vhostuserrng.**");
        // What they look for, such as SQL, is not there: to look takes more time than all else before the first input.
        command.add("--disabled_hooks=" + String.join(":", Constants.SANITIZER_HOOK_NAMES));
        command.add("--reproducer_path=" + findings);
        command.addAll(List.of(
                "-max_total_time=" + SECONDS,
                "-timeout=" + SECONDS_AN_INPUT,
                "-max_len=" + LONGEST_INPUT,
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
        return String.join("\n", lines.subList(Math.max(0, lines.size() - LINES_OF_LOG), lines.size()));
    }
}
