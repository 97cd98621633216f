package org.vhostuserrng.transport.vhostuser.protocol;

import java.util.ArrayList;
import java.util.List;
import org.vhostuserrng.transport.sys.OwnedFd;

/** The descriptors that came with one message. Those that nobody {@link #take takes} or closes are closed with it. */
public final class ReceivedFds implements AutoCloseable {
    private final List<OwnedFd> fds = new ArrayList<>();

    public int count() {
        return fds.size();
    }

    /** A descriptor to look at; it stays here. */
    public OwnedFd get(int index) {
        return fds.get(index);
    }

    /** Hands the first descriptor over to the caller. */
    public OwnedFd take() {
        return fds.removeFirst();
    }

    @Override
    public void close() {
        fds.forEach(OwnedFd::close);
        fds.clear();
    }

    List<OwnedFd> sink() {
        return fds;
    }
}
