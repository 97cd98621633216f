package org.vhostuserrng.transport.sys;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class ProgramPagesTest {
    /** How many kB of the JVM's library, its code among them, are mapped and not changed. */
    private static long unchangedOfTheJvm() throws IOException {
        List<String> smaps = Files.readAllLines(Path.of("/proc/self/smaps"));
        long clean = 0;
        boolean jvm = false;
        for (String line : smaps) {
            if (line.matches("[0-9a-f]+-[0-9a-f]+ .*")) {
                jvm = line.endsWith("/libjvm.so");
            } else if (jvm && line.matches("(Private|Shared)_Clean:.*")) {
                clean += Long.parseLong(line.replaceAll("\\D", ""));
            }
        }
        return clean;
    }

    @Test
    void unmapsWhatIsNotNeededAnyMore() throws IOException {
        long before = unchangedOfTheJvm();

        ProgramPages.release();

        long after = unchangedOfTheJvm();
        assertTrue(after < before, before + " kB, then " + after + " kB");
    }

    @Test
    void unmapsCodeAgainThatWasNeededSince() throws IOException {
        ProgramPages pages = ProgramPages.release();
        System.gc();
        long before = unchangedOfTheJvm();

        pages.releaseCode();

        long after = unchangedOfTheJvm();
        assertTrue(after < before, before + " kB, then " + after + " kB");
    }
}
