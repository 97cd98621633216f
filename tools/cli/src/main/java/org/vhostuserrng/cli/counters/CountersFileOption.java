package org.vhostuserrng.cli.counters;

import java.nio.file.Path;
import picocli.CommandLine.Option;

/** The option {@code --counters-file}. */
public final class CountersFileOption {
    @Option(
            names = "--counters-file",
            paramLabel = "PATH",
            defaultValue = "/run/vhost-user-rng/counters",
            description = "The daemon's counters file (default: ${DEFAULT-VALUE}).")
    private Path path;

    /** Returns a reader of the file. The file need not exist. */
    public CountersFileSource source() {
        return new CountersFileSource(path);
    }
}
