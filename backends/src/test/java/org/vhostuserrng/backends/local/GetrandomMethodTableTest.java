package org.vhostuserrng.backends.local;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.vhostuserrng.backends.local.GetrandomMethod.SYSCALL;
import static org.vhostuserrng.backends.local.GetrandomMethod.VDSO;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GetrandomMethodTableTest {
    @ParameterizedTest
    @CsvSource({"1,0", "64,0", "128,0", "129,1", "512,1", "513,2", "2048,2", "2049,3", "4096,3", "65536,3"})
    void picksThePathOfTheNearestMeasuredLength(int length, int index) {
        GetrandomMethod[] methods = {VDSO, VDSO, VDSO, VDSO};
        methods[index] = SYSCALL;

        GetrandomMethod method = GetrandomMethodTable.of(methods).methodFor(length);

        assertEquals(SYSCALL, method);
    }

    @Test
    void reportsThePathOfEachMeasuredLength() {
        String report = GetrandomMethodTable.of(VDSO, VDSO, SYSCALL, SYSCALL).toString();

        assertEquals("64 B: vdso, 256 B: vdso, 1024 B: syscall, 4096 B: syscall", report);
    }
}
