package org.vhostuserrng.transport.sys;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class ThreadTimeSliceTest {
    /** Returns the policy and the nice value of the calling thread: fields 41 and 19 of its stat file (proc(5)). */
    private static String scheduling() throws IOException {
        String stat = Files.readString(Path.of("/proc/thread-self/stat"));
        String[] fromState = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
        return "policy " + fromState[38] + ", nice " + fromState[16];
    }

    @Test
    void doesNotChangePolicyAndNiceValue() throws IOException {
        String before = scheduling();

        ThreadTimeSlice.shorten();

        assertEquals(before, scheduling());
    }
}
