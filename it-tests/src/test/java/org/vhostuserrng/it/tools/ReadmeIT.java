package org.vhostuserrng.it.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vhostuserrng.it.fixture.HostCommand;

/**
 * Tests that the READMEs agree with the program. guest/run boots test guests with the QEMU command line of the root
 * README.
 */
class ReadmeIT {
    private static final Pattern OPTION = Pattern.compile("--[a-z][a-z-]*");

    /** Matches the line of a help text that begins the description of an option, which may have a short form. */
    private static final Pattern HELP_ENTRY = Pattern.compile("(?m)^ *(?:-\\w, *)?(--[a-z][a-z-]*)");

    private static String readme() throws IOException {
        return document("README.md");
    }

    private static String document(String path) throws IOException {
        return Files.readString(HostCommand.repository().resolve(path));
    }

    /** Returns the options in the first column of the table below a heading. */
    private static Set<String> tableOptions(String document, String heading) {
        String table = document.split(Pattern.quote(heading), 2)[1].split("\n\n", 2)[0];
        return table.lines()
                .filter(line -> line.startsWith("| `"))
                .map(line -> line.split("\\|", -1)[1])
                .flatMap(cell -> OPTION.matcher(cell).results())
                .map(MatchResult::group)
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private static Set<String> helpOptions(String... command) throws IOException, InterruptedException {
        List<String> words = new ArrayList<>(List.of(HostCommand.launcher().toString()));
        words.addAll(List.of(command));
        words.add("--help");
        HostCommand.Result help = HostCommand.run(Map.of(), HostCommand.repository(), words);
        assertEquals(0, help.status(), help.output());
        return HELP_ENTRY
                .matcher(help.output())
                .results()
                .map(match -> match.group(1))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    @Test
    void quickStartScriptsAreExecutable() throws IOException {
        for (String command : List.of("tools/demo", "tools/test")) {
            assertTrue(readme().contains("    " + command + " "), command);
            assertTrue(Files.isExecutable(HostCommand.repository().resolve(command)), command);
        }
    }

    @Test
    void documentsTheDaemonsOptions() throws IOException, InterruptedException {
        assertEquals(helpOptions(), tableOptions(readme(), "| option | default | meaning |"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"bench", "check-source", "ctl", "doctor", "hold", "metrics", "top", "trace"})
    void documentsTheOptionsOfOtherCommands(String command) throws IOException, InterruptedException {
        Set<String> documented = new TreeSet<>(
                tableOptions(document("tools/README.md"), "| option of `" + command + "` | default | meaning |"));
        documented.addAll(Set.of("--help", "--version"));
        Set<String> offered = new TreeSet<>(helpOptions(command));
        offered.addAll(Set.of("--help", "--version"));
        assertEquals(offered, documented);
    }

    @Test
    void namesOnlyFilesThatExist() throws IOException {
        Set<String> missing = Pattern.compile("(?<![\\w./-])tools/[\\w./-]*\\w")
                .matcher(readme())
                .results()
                .map(MatchResult::group)
                .filter(path -> !Files.exists(HostCommand.repository().resolve(path)))
                .collect(Collectors.toSet());
        assertEquals(Set.of(), missing);
    }

    @Test
    void qemuCommandLineSharesTheGuestsMemory() throws IOException {
        String line = Pattern.compile("(?m)^qemu-system-x86_64(?:.*\\\\\n)*.*$")
                .matcher(readme())
                .results()
                .map(MatchResult::group)
                .collect(Collectors.joining("\n"))
                .replaceAll("\\\\\n *", "");
        assertEquals(1, line.lines().count(), "guest/run expects exactly one command line: " + line);
        assertTrue(line.contains("memory-backend=m "), line);
        assertTrue(line.contains("-object memory-backend-memfd,id=m,size=256M,share=on "), line);
        assertTrue(line.contains("-device vhost-user-rng-pci,chardev=c,vectors=2"), line);
        assertTrue(Files.exists(Path.of("../tools/guest/run")));
    }
}
