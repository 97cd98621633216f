package org.vhostuserrng.fuzz;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;

import java.io.IOException;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Each target survives what it did not survive once, and an input with nothing in it. */
class FuzzRegressionTest {
    @TestFactory
    Stream<DynamicTest> survivesAnEmptyInput() {
        return FuzzTargets.all().map(target -> survives(target, "nothing", new byte[0]));
    }

    @TestFactory
    Stream<DynamicTest> survivesWhatItDidNotOnce() throws IOException {
        Stream.Builder<DynamicTest> tests = Stream.builder();
        for (Class<?> target : FuzzTargets.all().toList()) {
            for (Path input : FuzzCorpus.regressions(target)) {
                tests.add(survives(target, input.getFileName().toString(), Files.readAllBytes(input)));
            }
        }
        return tests.build();
    }

    private static DynamicTest survives(Class<?> target, String name, byte[] input) {
        return DynamicTest.dynamicTest(target.getSimpleName() + ": " + name, () -> {
            MethodHandle entry = MethodHandles.publicLookup()
                    .findStatic(target, "fuzzerTestOneInput", MethodType.methodType(void.class, byte[].class));
            assertDoesNotThrow(() -> entry.invoke(input));
        });
    }
}
