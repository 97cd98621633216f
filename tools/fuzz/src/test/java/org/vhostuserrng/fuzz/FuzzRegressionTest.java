package org.vhostuserrng.fuzz;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Runs each target with its regression inputs and with an empty input. */
class FuzzRegressionTest {
    @TestFactory
    Stream<DynamicTest> acceptsAnEmptyInput() {
        return FuzzTargets.all().map(target -> accepts(target, "empty", new byte[0]));
    }

    @TestFactory
    Stream<DynamicTest> acceptsRegressionInputs() throws IOException {
        Stream.Builder<DynamicTest> tests = Stream.builder();
        for (Class<?> target : FuzzTargets.all().toList()) {
            for (Path input : FuzzCorpus.regressions(target)) {
                tests.add(accepts(target, input.getFileName().toString(), Files.readAllBytes(input)));
            }
        }
        return tests.build();
    }

    @Test
    void everyRegressionDirectoryBelongsToATarget() throws IOException {
        List<String> targets = FuzzTargets.all().map(Class::getSimpleName).toList();

        List<String> directories = FuzzCorpus.regressionDirectories();

        assertTrue(targets.containsAll(directories), () -> directories + " of " + targets);
    }

    private static DynamicTest accepts(Class<?> target, String name, byte[] input) {
        return DynamicTest.dynamicTest(target.getSimpleName() + ": " + name, () -> {
            MethodHandle entry = MethodHandles.publicLookup()
                    .findStatic(target, "fuzzerTestOneInput", MethodType.methodType(void.class, byte[].class));
            assertDoesNotThrow(() -> entry.invoke(input));
        });
    }
}
