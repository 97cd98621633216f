package org.vhostuserrng.frontend;

import java.io.IOException;
import java.nio.file.Path;

/** A file descriptor that is invalid in vhost-user messages, or that a back-end cannot map as guest memory. */
public final class UnsuitableFileDescriptor implements AutoCloseable {
    private final int fd;
    private boolean open = true;

    private UnsuitableFileDescriptor(int fd) {
        this.fd = fd;
    }

    private static UnsuitableFileDescriptor open(Path path, int flags) throws IOException {
        return new UnsuitableFileDescriptor(FrontendLibc.checkErrno(
                "open " + path, FrontendLibc.calls().open(path.toString(), FrontendLibc.O_CLOEXEC | flags)));
    }

    /** Opens a directory for reading. */
    public static UnsuitableFileDescriptor directory(Path path) throws IOException {
        return open(path, FrontendLibc.O_DIRECTORY);
    }

    /** Opens a file with O_PATH, which permits neither reading nor writing. */
    public static UnsuitableFileDescriptor oPath(Path path) throws IOException {
        return open(path, FrontendLibc.O_PATH);
    }

    /** Opens a file or device for reading. */
    public static UnsuitableFileDescriptor readOnly(Path path) throws IOException {
        return open(path, 0);
    }

    /** Opens a file or device for reading and writing. */
    public static UnsuitableFileDescriptor readWrite(Path path) throws IOException {
        return open(path, FrontendLibc.O_RDWR);
    }

    /** Creates a memfd of {@code size} bytes that is sealed against writing. */
    public static UnsuitableFileDescriptor writeSealedMemfd(long size) throws IOException {
        UnsuitableFileDescriptor memfd = new UnsuitableFileDescriptor(FrontendLibc.checkErrno(
                "memfd_create",
                FrontendLibc.calls()
                        .memfd_create("sealed", FrontendLibc.MFD_CLOEXEC | FrontendLibc.MFD_ALLOW_SEALING)));
        FrontendLibc.checkErrno("ftruncate", FrontendLibc.calls().ftruncate(memfd.fd, size));
        FrontendLibc.checkErrno(
                "F_ADD_SEALS",
                FrontendLibc.calls().fcntl(memfd.fd, FrontendLibc.F_ADD_SEALS, FrontendLibc.F_SEAL_WRITE));
        return memfd;
    }

    /** The descriptor. This object remains its owner. */
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
