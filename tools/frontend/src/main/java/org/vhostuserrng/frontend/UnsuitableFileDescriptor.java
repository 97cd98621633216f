package org.vhostuserrng.frontend;

import java.io.IOException;
import java.nio.file.Path;

/** A file descriptor that is invalid in every vhost-user message. */
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

    /** A file opened with O_PATH, which allows neither reading nor writing. */
    public static UnsuitableFileDescriptor oPath(Path path) throws IOException {
        return new UnsuitableFileDescriptor(path, FrontendLibc.O_PATH);
    }

    /** The descriptor. This object closes it. */
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
