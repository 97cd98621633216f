package org.vhostuserrng.it.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.vhostuserrng.it.fixture.EventualAssertions.HANG_TIMEOUT;
import static org.vhostuserrng.it.fixture.EventualAssertions.assertEventually;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vhostuserrng.frontend.EntropyDriver;
import org.vhostuserrng.it.fixture.PackagedProgram;
import org.vhostuserrng.it.fixture.daemon.DaemonExtension;
import org.vhostuserrng.it.fixture.daemon.DaemonProcess;

/** {@code top} in the terminal that tmux provides. */
@Timeout(300)
class TopTerminalIT {
    private static final int ROWS = 24;

    @RegisterExtension
    private final DaemonExtension daemons = new DaemonExtension();

    private boolean started;

    @BeforeEach
    void requireTmux() {
        boolean installed = Arrays.stream(System.getenv("PATH").split(":", -1))
                .anyMatch(entry -> Files.isExecutable(Path.of(entry, "tmux")));
        assumeTrue(installed, "SKIPPED: tmux is not installed (Debian package tmux)");
    }

    @AfterEach
    void stop() throws IOException, InterruptedException {
        if (started) {
            tmux("kill-server");
        }
    }

    /** Runs a command of the test's own tmux server. Returns what it prints. */
    private String tmux(String... arguments) throws IOException, InterruptedException {
        Path output = daemons.directory().resolve("tmux.output");
        List<String> command = new ArrayList<>(List.of(
                "tmux",
                "-u",
                "-f",
                "/dev/null",
                "-S",
                daemons.directory().resolve("tmux").toString()));
        command.addAll(List.of(arguments));
        ProcessBuilder builder =
                new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(output.toFile());
        builder.environment().remove("TMUX");
        builder.environment().put("TERM", "xterm");
        builder.start().waitFor();
        return Files.readString(output);
    }

    private List<String> screen() throws IOException, InterruptedException {
        return tmux("capture-pane", "-p").lines().toList();
    }

    @ParameterizedTest
    @CsvSource({"80, false", "200, true"})
    void tableFitsTheTerminalAndIsRefreshedInPlace(int columns, boolean wide) throws Exception {
        Path counters = daemons.directory().resolve("counters");
        DaemonProcess daemon = daemons.start("--counters-file=" + counters);
        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            guest.request(64, HANG_TIMEOUT);
            started = true;
            tmux(
                    "new-session",
                    "-d",
                    "-x",
                    Integer.toString(columns),
                    "-y",
                    Integer.toString(ROWS),
                    String.join(" ", PackagedProgram.commandLine("top", "--counters-file=" + counters)));
            assertEventually("the guest is shown", () -> screen().stream().anyMatch(line -> line.startsWith("socket")));
            guest.request(64, HANG_TIMEOUT);

            assertEventually(
                    "the table is refreshed",
                    () -> screen().stream().anyMatch(line -> line.matches("socket +[1-9].*")));

            List<String> screen = screen();
            String text = String.join("\n", screen);
            assertTrue(screen.getFirst().startsWith("daemon "), text);
            assertEquals(
                    1, screen.stream().filter(line -> line.startsWith("GUEST")).count(), text);
            assertTrue(screen.stream().allMatch(line -> line.length() <= columns), text);
            assertEquals(wide, text.contains("INTERRUPTS"), text);
            assertTrue(text.contains("SOURCE"), text);
        }
    }
}
