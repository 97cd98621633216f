package org.vhostuserrng.fuzz;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** Inputs of a target, a file each. */
public final class FuzzCorpus {
    private static final Path BUILD = Path.of("target", "fuzz");
    private static final Path REGRESSIONS = Path.of("src", "test", "resources", "regressions");

    private FuzzCorpus() {}

    /** What the unit tests wrote for a target. */
    static Path seeds(Class<?> target) {
        return BUILD.resolve(target.getSimpleName()).resolve("seeds");
    }

    /** What fuzzing adds to that. */
    static Path grown(Class<?> target) {
        return BUILD.resolve(target.getSimpleName()).resolve("grown");
    }

    /** Where the inputs go that a target does not survive. */
    static Path findings(Class<?> target) {
        return BUILD.resolve(target.getSimpleName()).resolve("findings");
    }

    /** Inputs that a target did not survive once. */
    static List<Path> regressions(Class<?> target) throws IOException {
        Path directory = REGRESSIONS.resolve(target.getSimpleName());
        return Files.isDirectory(directory) ? files(directory) : List.of();
    }

    /** Writes the seeds of a target, in place of those that were there. */
    public static void write(Class<?> target, List<byte[]> seeds) throws IOException {
        Path directory = Files.createDirectories(seeds(target));
        for (Path old : files(directory)) {
            Files.delete(old);
        }
        for (int i = 0; i < seeds.size(); i++) {
            Files.write(directory.resolve("seed" + i), seeds.get(i));
        }
    }

    private static List<Path> files(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.sorted().toList();
        }
    }
}
