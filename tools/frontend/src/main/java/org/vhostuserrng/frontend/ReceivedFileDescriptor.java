package org.vhostuserrng.frontend;

import java.util.OptionalInt;

/** A file descriptor that was received over a socket. The receiver must close it. */
public final class ReceivedFileDescriptor implements AutoCloseable {
    private final int fd;
    private boolean open = true;

    ReceivedFileDescriptor(int fd) {
        this.fd = fd;
    }

    /** The number of the descriptor in this process. */
    public int fd() {
        return fd;
    }

    /** The file's seals (fcntl(2) F_GET_SEALS); empty if the file does not support sealing. */
    public OptionalInt seals() {
        int seals = FrontendLibc.calls().fcntl(fd, FrontendLibc.F_GET_SEALS, 0);
        return seals < 0 ? OptionalInt.empty() : OptionalInt.of(seals);
    }

    @Override
    public void close() {
        if (open) {
            open = false;
            FrontendLibc.calls().close(fd);
        }
    }
}
