package org.vhostuserrng.packagedocs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.vhostuserrng.daemon.DaemonCommandSpecs;

class PackageDocsMainTest {
    private static final Map<String, String> FILES = PackageDocsMain.files(new ManPage("2026-11-30", "0.2.0"));

    @Test
    void everyCommandHasAManPage() {
        Set<String> expected = new TreeSet<>(Set.of("vhost-user-rng.1", "vhost-user-rng.bash", "_vhost-user-rng"));
        DaemonCommandSpecs.commandNames().forEach(name -> expected.add("vhost-user-rng-" + name + ".1"));

        assertEquals(expected, new TreeSet<>(FILES.keySet()));
    }

    @Test
    void pageOfTheDaemonHasOptionsAndSources() {
        String page = FILES.get("vhost-user-rng.1");

        assertTrue(page.contains(".B \"\\-\\-socket\\-path=PATH\"\n"), page);
        assertTrue(page.contains(".SH \"SOURCES\"\n"), page);
        assertTrue(page.contains(".B \"getrandom\"\nthe kernel's random number generator"), page);
    }

    @Test
    void pageOfACommandHasItsOptions() {
        String page = FILES.get("vhost-user-rng-trace.1");

        assertTrue(page.contains(".B \"\\-\\-record=FILE\"\n"), page);
    }

    @Test
    void completionsKnowCommandsAndOptions() {
        for (String completion : Set.of("vhost-user-rng.bash", "_vhost-user-rng")) {
            String script = FILES.get(completion);
            assertTrue(script.contains("egd-server") && script.contains("--total-max-bytes"), completion);
        }
    }

    @Test
    void textThatLooksLikeARequestIsPrinted() {
        RoffText page = new RoffText();

        page.text(".so file with a \\ and an option --x");

        assertEquals("\\&.so file with a \\e and an option \\-\\-x\n", page.toString());
    }

    @Test
    void termsWithLongNamesHaveTheirDescriptionInTheNextLine() {
        String help = "Usage: x\n\nOptions:\n  --y\n\nSources:\n  a:B C\n" + " ".repeat(20) + "text\n";

        assertEquals(
                new HelpText.Term("a:B C", "text"),
                HelpText.parse(help).sections().getFirst().elements().getFirst());
    }
}
