package org.vhostuserrng.cli.metrics;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;

/** A file for node_exporter's textfile collector. */
final class MetricsTextfile {
    private MetricsTextfile() {}

    /** Replaces the file atomically: a reader sees the old or the new content. All users may read the file. */
    static void replace(Path file, byte[] content) throws IOException {
        Path directory = file.toAbsolutePath().getParent();
        // The collector ignores this temporary file, because it reads only files whose names end with .prom.
        Path next = Files.createTempFile(directory, ".vhost-user-rng", ".tmp");
        try {
            Files.write(next, content);
            Files.setPosixFilePermissions(next, PosixFilePermissions.fromString("rw-r--r--"));
            Files.move(next, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(next);
        }
    }
}
