package org.vhostuserrng.backends;

import java.io.IOException;

/**
 * A source as {@code --source} names it; opened once guests use it, and possibly many times. It remembers across that
 * what must not be given out again.
 */
public interface SourceSpec {
    /**
     * Reads a specification.
     *
     * @param text {@code file:PATH}
     * @throws IllegalArgumentException with what is allowed, if it is none
     */
    static SourceSpec parse(String text) {
        if (text.startsWith(FileSpec.PREFIX) && text.length() > FileSpec.PREFIX.length()) {
            return FileSpec.of(text.substring(FileSpec.PREFIX.length()));
        }
        throw new IllegalArgumentException("expected file:PATH");
    }

    /**
     * Tries whether the source can be used, leaving nothing open.
     *
     * @throws IOException with the reason, in a few words
     */
    void check() throws IOException;

    /**
     * Opens the source.
     *
     * @param onBytes told, by any thread, when there are bytes again after {@link EntropySource#NOT_NOW}
     */
    EntropySource open(Runnable onBytes) throws IOException;
}
