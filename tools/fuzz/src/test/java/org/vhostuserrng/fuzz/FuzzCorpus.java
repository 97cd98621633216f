package org.vhostuserrng.fuzz;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** The directories with the inputs of a fuzz target, one file per input. */
public final class FuzzCorpus {
    private static final Path BUILD = Path.of("target", "fuzz");
    private static final Path REGRESSIONS = Path.of("src", "test", "resources", "regressions");

    private FuzzCorpus() {}

    /** Returns the directory of the seeds, which the unit tests write. */
    static Path seeds(Class<?> target) {
        return BUILD.resolve(target.getSimpleName()).resolve("seeds");
    }

    /** Returns the directory of the inputs that Jazzer adds. */
    static Path grown(Class<?> target) {
        return BUILD.resolve(target.getSimpleName()).resolve("grown");
    }

    /** Returns the directory of the inputs that make the target fail now. */
    static Path findings(Class<?> target) {
        return BUILD.resolve(target.getSimpleName()).resolve("findings");
    }

    /** Returns the files with inputs that once made the target fail. */
    static List<Path> regressions(Class<?> target) throws IOException {
        Path directory = REGRESSIONS.resolve(target.getSimpleName());
        return Files.isDirectory(directory) ? files(directory) : List.of();
    }

    /** Replaces the seeds of a target. */
    public static void write(Class<?> target, List<byte[]> seeds) throws IOException {
        Path directory = Files.createDirectories(seeds(target));
        for (Path old : files(directory)) {
            Files.delete(old);
        }
        for (int i = 0; i < seeds.size(); i++) {
            Files.write(directory.resolve("seed" + i), seeds.get(i));
        }
    }

    /** Returns the names of all directories with regression inputs. */
    static List<String> regressionDirectories() throws IOException {
        return files(REGRESSIONS).stream()
                .map(directory -> directory.getFileName().toString())
                .toList();
    }

    private static List<Path> files(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.sorted().toList();
        }
    }
}
