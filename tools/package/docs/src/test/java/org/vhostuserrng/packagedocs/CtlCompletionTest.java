package org.vhostuserrng.packagedocs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The completions in bash and zsh, with a program that answers instead of a daemon. */
class CtlCompletionTest {
    @TempDir
    private Path directory;

    /** The options that the program was called with. */
    private Path called;

    @BeforeEach
    void installProgram() throws IOException {
        called = directory.resolve("called");
        answer("printf 'web1\\nweb 2\\ndb\\n'");
        Files.writeString(
                directory.resolve("completion.bash"),
                PackageDocsMain.files(new ManPage("2026-11-30", "0.2.0")).get("vhost-user-rng.bash"));
    }

    private void answer(String command) throws IOException {
        Path program = directory.resolve("vhost-user-rng");
        Files.writeString(program, "#!/bin/sh\necho \"$@\" >'" + called + "'\n" + command + "\n");
        Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    /** Runs a script of a shell. Returns what it prints on both streams. */
    private String run(String shell, String script) throws IOException, InterruptedException {
        Path output = directory.resolve("output");
        ProcessBuilder builder = new ProcessBuilder(shell, "-c", script)
                .redirectErrorStream(true)
                .redirectOutput(output.toFile());
        builder.environment().put("PATH", directory + ":" + System.getenv("PATH"));
        builder.start().waitFor();
        return Files.readString(output);
    }

    /** The completions of the last word in bash, which splits words at equals signs. */
    private List<String> bash(String... words) throws IOException, InterruptedException {
        // compopt works only while bash completes a line.
        String script =
                "compopt() { :; }; source '" + directory.resolve("completion.bash") + "'; COMP_WORDS=(vhost-user-rng '"
                        + String.join("' '", words) + "'); COMP_CWORD=" + words.length
                        + "; _vhost_user_rng_ctl vhost-user-rng; printf '%s\\n' \"${COMPREPLY[@]}\"";
        return run("bash", script).lines().toList();
    }

    @Test
    void bashCompletesTheCommandsOfCtl() throws Exception {
        assertEquals(List.of("set", "set-total"), bash("ctl", "set"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"show", "set", "pause", "resume", "remove", "drain"})
    void bashCompletesNamesOfGuests(String command) throws Exception {
        assertEquals(List.of("web1", "web\\ 2"), bash("ctl", command, "web"));
    }

    @Test
    void bashAsksTheDaemonOfTheCommandLine() throws Exception {
        bash("ctl", "--control-socket", "=", "/run/rng.ctl", "show", "");

        assertEquals("ctl --control-socket=/run/rng.ctl list --names\n", Files.readString(called));
    }

    @Test
    void bashPrintsNothingWithoutADaemon() throws Exception {
        answer("echo 'no daemon' >&2; exit 1");

        assertEquals(List.of(""), bash("ctl", "show", ""));
    }

    @Test
    void bashCompletesTheWordsAfterSource() throws Exception {
        assertEquals(List.of("release"), bash("ctl", "source", "re"));
    }

    @Test
    void bashCompletesOptionsAndOtherCommandsAsBefore() throws Exception {
        assertEquals(List.of("--json"), stripped(bash("ctl", "--js")));
        assertEquals(List.of("egd-server"), stripped(bash("egd-s")));
    }

    private static List<String> stripped(List<String> words) {
        return words.stream().map(String::strip).toList();
    }

    private List<String> zsh(String words) throws IOException, InterruptedException {
        assumeTrue(isInstalled("zsh"), "SKIPPED: zsh is not installed (Debian package zsh)");
        String script = CtlCompletion.zshFunction() + "words=(" + words + "); CURRENT=${#words}\n"
                + "compadd() { [ \"$1\" = -a ] && print -l -- ${(P)2} || print -l -- \"$@\" }\n"
                + "_files() { print files }\n_vhost_user_rng_ctl_argument\n";
        return run("zsh", script).lines().filter(line -> !line.isEmpty()).toList();
    }

    private static boolean isInstalled(String command) {
        return Arrays.stream(System.getenv("PATH").split(":", -1))
                .anyMatch(entry -> Files.isExecutable(Path.of(entry, command)));
    }

    @Test
    void zshCompletesNamesOfGuests() throws Exception {
        assertEquals(List.of("web1", "web 2", "db"), zsh("ctl --control-socket=/run/rng.ctl drain ''"));
        assertEquals("ctl --control-socket=/run/rng.ctl list --names\n", Files.readString(called));
    }

    @Test
    void zshCompletesTheWordsAfterACommand() throws Exception {
        assertEquals(List.of("status", "test", "quarantine", "release"), zsh("ctl source ''"));
    }

    @Test
    void zshPrintsNothingWithoutADaemon() throws Exception {
        answer("echo 'no daemon' >&2; exit 1");

        assertEquals(List.of(), zsh("ctl show ''"));
    }
}
