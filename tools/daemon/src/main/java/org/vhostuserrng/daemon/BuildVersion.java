package org.vhostuserrng.daemon;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/** The version and the commit of this build, read from resources that Maven writes. */
final class BuildVersion {
    private static final String VERSION = "version.txt";
    private static final String COMMIT = "commit.txt";

    private BuildVersion() {}

    /** Returns text such as {@code 0.2.0 (1a2b3c4d5)}; without the commit if the build was not in a git work tree. */
    static String read() {
        return describe(text(VERSION), text(COMMIT));
    }

    static String describe(String version, String commit) {
        return commit.isEmpty() ? version : version + " (" + commit + ")";
    }

    private static String text(String resource) {
        try (InputStream text = BuildVersion.class.getResourceAsStream(resource)) {
            return text == null ? "" : new String(text.readAllBytes(), StandardCharsets.UTF_8).strip();
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }
}
