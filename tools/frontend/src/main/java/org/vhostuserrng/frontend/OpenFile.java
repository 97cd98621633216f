package org.vhostuserrng.frontend;

import java.io.IOException;
import java.nio.file.Path;

/** A file descriptor that no message has a use for. */
public final class OpenFile implements AutoCloseable {
    private final int fd;
    private boolean open = true;

    private OpenFile(Path path, int flags) throws IOException {
        fd = LibC.checked("open " + path, LibC.calls().open(path.toString(), LibC.O_CLOEXEC | flags));
    }

    /** A directory, open for reading. */
    public static OpenFile directory(Path path) throws IOException {
        return new OpenFile(path, LibC.O_DIRECTORY);
    }

    /** A file that is not open for anything (O_PATH). */
    public static OpenFile location(Path path) throws IOException {
        return new OpenFile(path, LibC.O_PATH);
    }

    /** The descriptor, owned by this object. */
    public int fd() {
        return fd;
    }

    @Override
    public void close() {
        if (open) {
            open = false;
            LibC.calls().close(fd);
        }
    }
}
