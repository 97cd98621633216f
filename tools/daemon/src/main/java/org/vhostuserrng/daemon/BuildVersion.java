package org.vhostuserrng.daemon;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/** The version of this build, from a resource that Maven fills in. */
final class BuildVersion {
    private static final String RESOURCE = "version.txt";

    private BuildVersion() {}

    static String read() {
        try (InputStream text = BuildVersion.class.getResourceAsStream(RESOURCE)) {
            return new String(text.readAllBytes(), StandardCharsets.UTF_8).strip();
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }
}
