package org.vhostuserrng.daemon.hold;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ServiceEnvironmentTest {
    @Test
    void replacesAVariable() {
        assertEquals(List.of("B=2", "A=3"), ServiceEnvironment.of(List.of("A=1", "B=2"), Map.of("A", "3")));
    }

    @Test
    void removesAVariableWithoutAValue() {
        assertEquals(List.of("B=2"), ServiceEnvironment.of(List.of("A=1=x", "B=2"), Map.of("A", "")));
    }

    @Test
    void keepsWhatIsNotAVariable() {
        assertEquals(List.of("=x", "AB"), ServiceEnvironment.of(List.of("=x", "AB"), Map.of("A", "")));
    }
}
