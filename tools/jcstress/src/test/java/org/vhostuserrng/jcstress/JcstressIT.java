package org.vhostuserrng.jcstress;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.openjdk.jcstress.Main;

/** Runs all jcstress tests of this module in separate processes, for {@code jcstress.millis} ms each. */
class JcstressIT {
    private static final Path REPORT = Path.of("target", "jcstress");

    @Test
    void findsNoForbiddenOutcome() throws IOException, InterruptedException {
        assumeTrue(Runtime.getRuntime().availableProcessors() > 1, "a race needs two CPUs");
        Path directory = Files.createDirectories(REPORT.toAbsolutePath());
        Path log = directory.resolve("log");

        Process run = new ProcessBuilder(command())
                .directory(directory.toFile())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        int status = run.waitFor();

        String output = Files.readString(log);
        assertEquals(0, status, output);
        assertFalse(output.contains("Results: 0 planned"), output);
    }

    private static List<String> command() {
        return List.of(
                ProcessHandle.current().info().command().orElseThrow(),
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                Main.class.getName(),
                // Only one JVM configuration, with compiled code: interpreted code rarely reorders memory accesses.
                "-jvmArgs",
                "-Xmx256m --enable-native-access=ALL-UNNAMED",
                "-sc",
                "false",
                "-f",
                "1",
                "-iters",
                System.getProperty("jcstress.iterations"),
                "-time",
                System.getProperty("jcstress.millis"),
                "-r",
                "report");
    }
}
