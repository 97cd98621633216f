package org.vhostuserrng.cli.process;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Stream;

/** Finds executable programs. */
public final class ExecutableLookup {
    private ExecutableLookup() {}

    /**
     * Returns the file that a shell would execute: {@code program} itself if it contains a slash, otherwise the first
     * match in PATH; empty if there is none.
     */
    public static Optional<Path> find(String program) {
        Stream<Path> candidates = program.contains("/")
                ? Stream.of(Path.of(program))
                : Stream.of(System.getenv().getOrDefault("PATH", "").split(File.pathSeparator, -1))
                        .map(directory -> Path.of(directory).resolve(program));
        return candidates
                .filter(file -> Files.isRegularFile(file) && Files.isExecutable(file))
                .findFirst();
    }
}
