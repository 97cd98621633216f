package org.vhostuserrng.backends.local;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vhostuserrng.backends.expression.SourceExpressionParser;
import org.vhostuserrng.backends.source.EntropySource;
import org.vhostuserrng.backends.source.SharedSourceSpec;

/** Tests with real programs. */
class CommandSourceSpecTest {
    private static final long HANG_NANOS = TimeUnit.SECONDS.toNanos(120);

    @TempDir
    private Path directory;

    private static SharedSourceSpec command(String text) {
        return (SharedSourceSpec) SourceExpressionParser.parse("command:" + text + ",health=off");
    }

    private static String read(EntropySource source, int length) throws InterruptedException {
        MemorySegment target = Arena.ofAuto().allocate(length + 1L);
        int count = 0;
        for (long end = System.nanoTime() + HANG_NANOS; count < length && System.nanoTime() < end; ) {
            count += Math.max(0, source.fill(target, count, length - count));
            TimeUnit.MILLISECONDS.sleep(1);
        }
        return target.getString(0, StandardCharsets.US_ASCII);
    }

    private static void awaitGone(long pid) throws InterruptedException {
        for (long end = System.nanoTime() + HANG_NANOS; isRunning(pid) && System.nanoTime() < end; ) {
            TimeUnit.MILLISECONDS.sleep(5);
        }
        assertTrue(!isRunning(pid), "process " + pid + " runs");
    }

    /**
     * Returns whether a process runs. A zombie does not count, because the init process of a container may not reap it.
     */
    private static boolean isRunning(long pid) {
        try {
            String stat = Files.readString(Path.of("/proc/" + pid + "/stat"));
            return stat.charAt(stat.lastIndexOf(')') + 2) != 'Z';
        } catch (IOException gone) {
            return false;
        }
    }

    @Test
    void readsTheOutputOfAProgram() throws Exception {
        try (EntropySource source =
                command("sh -c \"printf '%s' 'one,, two'; exec sleep 100\"").open(() -> {})) {
            assertEquals("one, two", read(source, 8));
        }
    }

    @Test
    void startsTheProgramAgainAfterItsEnd() throws Exception {
        try (EntropySource source = command("printf x").open(() -> {})) {
            assertEquals("xxx", read(source, 3));
        }
    }

    @Test
    void startsTheProgramAgainAfterItsFailure() throws Exception {
        try (EntropySource source = command("sh -c 'printf x; exit 3'").open(() -> {})) {
            assertEquals("xx", read(source, 2));
        }
    }

    @Test
    void inheritsTheEnvironmentButNoDescriptors() throws Exception {
        Path out = directory.resolve("out");
        try (EntropySource source = command("sh -c 'ls -l /proc/self/fd | grep -c pipe: >" + out
                        + "; ls /proc/self/fd | wc -w >>" + out + "; echo $PATH >>" + out + "; printf x'")
                .open(() -> {})) {
            assertEquals("x", read(source, 1));
        }
        // ls has 4 descriptors: three pipes, and the directory that it lists.
        assertEquals(
                "3\n4\n" + System.getenv("PATH") + "\n",
                Files.readString(out).lines().limit(3).reduce("", (all, line) -> all + line + "\n"));
    }

    @Test
    void endsTheProgramAndItsChildrenWhenClosed() throws Exception {
        Path pids = directory.resolve("pids");
        SharedSourceSpec spec =
                command("sh -c 'sleep 1000 & echo $! $$ >" + pids + "; printf x; trap \"\" TERM; wait'");
        try (EntropySource source = spec.open(() -> {})) {
            assertEquals("x", read(source, 1));
        }

        assertTrue(spec.awaitClosed(HANG_NANOS));
        for (String pid : Files.readString(pids).strip().split(" ", -1)) {
            awaitGone(Long.parseLong(pid));
        }
    }

    @Test
    void startsTheProgramAgainIfADescendantKeepsItsOutputOpen() throws Exception {
        Path pids = directory.resolve("pids");
        try (EntropySource source =
                command("sh -c 'sleep 1000 & echo $! >>" + pids + "; printf x'").open(() -> {})) {
            assertEquals("xxx", read(source, 3));
        }

        awaitGone(Long.parseLong(Files.readAllLines(pids).getFirst()));
    }

    @Test
    void startsTheProgramAgainIfADescendantKeepsWriting() throws Exception {
        Path starts = directory.resolve("starts");
        try (EntropySource source =
                command("sh -c 'echo >>" + starts + "; exec yes & exit 3'").open(() -> {})) {
            for (long end = System.nanoTime() + HANG_NANOS; System.nanoTime() < end; ) {
                read(source, 4096);
                if (Files.exists(starts) && Files.readAllLines(starts).size() > 1) {
                    break;
                }
            }
        }

        assertTrue(Files.readAllLines(starts).size() > 1);
    }

    @Test
    void blockedStderrDoesNotStopTheProgram() throws Exception {
        try (EntropySource source = command("sh -c 'head -c 1000000 /dev/zero >&2; printf x; exec sleep 100'")
                .open(() -> {})) {
            assertEquals("x", read(source, 1));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"command:", "command: ", "command:''", "command:sh -c \"a", "command:a,b", "command:a\\"})
    void refusesMalformedExpression(String text) {
        assertThrows(IllegalArgumentException.class, () -> SourceExpressionParser.parse(text));
    }

    @ParameterizedTest
    @ValueSource(strings = {"no-such-program-x -a", "/nonexistent/program", "/etc/passwd", "/tmp"})
    void probeRefusesProgramThatIsNotExecutable(String text) {
        IOException refused =
                assertThrows(IOException.class, () -> command(text).probe());

        assertTrue(refused.getMessage().contains("no executable program"), refused.getMessage());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "xor(command:sh -c \"(cat x)\",getrandom)",
                "drbg(command:sh -c 'a+b)'+getrandom)",
                "xor(command:a \\) b,health=off,command:c)"
            })
    void quotedTerminatorsBelongToTheCommand(String text) {
        assertEquals(
                text.replace(",health=off", ""),
                SourceExpressionParser.parse(text).toString());
    }
}
