package org.vhostuserrng.frontend;

import java.util.OptionalInt;

/** A file descriptor that came over a socket. Whoever received it owns it and must close it. */
public final class ReceivedFileDescriptor implements AutoCloseable {
    private final int fd;
    private boolean open = true;

    ReceivedFileDescriptor(int fd) {
        this.fd = fd;
    }

    /** Its number in this process. */
    public int fd() {
        return fd;
    }

    /** The seals of fcntl(2)'s F_GET_SEALS; empty if what it refers to can have none. */
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
