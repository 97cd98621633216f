package org.vhostuserrng.daemon;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.apache.commons.cli.Option;
import org.junit.jupiter.api.Test;

class DaemonHelpTest {
    private static String help() {
        return DaemonHelp.text();
    }

    @Test
    void describesEachOptionInTheSecondColumn() {
        List<String> lines = help().lines().toList();
        for (Option option : DaemonOptions.all().getOptions()) {
            String firstWord = option.getDescription().split(" ", 2)[0];
            String row = lines.stream()
                    .filter(line -> (line + " ").contains(DaemonArguments.syntax(option) + " "))
                    .filter(line -> line.startsWith("  -"))
                    .findFirst()
                    .orElseThrow();
            boolean alone = row.endsWith(DaemonArguments.syntax(option));
            String described = alone ? lines.get(lines.indexOf(row) + 1) : row;
            assertEquals(27, described.indexOf(firstWord), described);
        }
    }

    @Test
    void usageShowsTheKindsOfSocketAndTheCommands() {
        String usage = help().split("\n\n", 2)[0];
        assertTrue(usage.contains("vhost-user-rng --socket-path=PATH"), usage);
        assertTrue(usage.contains("vhost-user-rng --connect=PATH"), usage);
        assertTrue(usage.contains("vhost-user-rng --fd=N"), usage);
        assertTrue(usage.contains("vhost-user-rng COMMAND"), usage);
    }

    @Test
    void qemuExampleSharesTheGuestsMemory() {
        String help = help();
        assertTrue(help.contains("-machine q35,memory-backend=m -m 256 \\\n"), help);
        assertTrue(help.contains("-object memory-backend-memfd,id=m,size=256M,share=on \\\n"), help);
        assertTrue(help.contains("-device vhost-user-rng-pci,chardev=c,vectors=2\n"), help);
    }
}
