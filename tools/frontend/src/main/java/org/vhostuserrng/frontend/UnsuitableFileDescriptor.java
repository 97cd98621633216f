package org.vhostuserrng.frontend;

import java.io.IOException;
import java.nio.file.Path;

/** A file descriptor that no message has a use for. */
public final class UnsuitableFileDescriptor implements AutoCloseable {
    private final int fd;
    private boolean open = true;

    private UnsuitableFileDescriptor(Path path, int flags) throws IOException {
        fd = FrontendLibc.checkErrno(
                "open " + path, FrontendLibc.calls().open(path.toString(), FrontendLibc.O_CLOEXEC | flags));
    }

    /** A directory, open for reading. */
    public static UnsuitableFileDescriptor directory(Path path) throws IOException {
        return new UnsuitableFileDescriptor(path, FrontendLibc.O_DIRECTORY);
    }

    /** A file that is not open for anything (O_PATH). */
    public static UnsuitableFileDescriptor oPath(Path path) throws IOException {
        return new UnsuitableFileDescriptor(path, FrontendLibc.O_PATH);
    }

    /** The descriptor, owned by this object. */
    public int fd() {
        return fd;
    }

    @Override
    public void close() {
        if (open) {
            open = false;
            FrontendLibc.calls().close(fd);
        }
    }
}
