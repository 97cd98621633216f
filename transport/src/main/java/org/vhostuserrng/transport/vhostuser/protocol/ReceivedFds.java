package org.vhostuserrng.transport.vhostuser.protocol;

import java.util.ArrayList;
import java.util.List;
import org.vhostuserrng.libc.OwnedFd;

/**
 * The descriptors of one message. {@link #close} closes those that were not {@link #take taken}. Confined to the thread
 * that owns the object.
 */
public final class ReceivedFds implements AutoCloseable {
    private final List<OwnedFd> fds = new ArrayList<>();

    public int count() {
        return fds.size();
    }

    /** Returns a descriptor. This object remains the owner. */
    public OwnedFd get(int index) {
        return fds.get(index);
    }

    /** Transfers the ownership of all descriptors to the caller. */
    public List<OwnedFd> takeAll() {
        List<OwnedFd> taken = List.copyOf(fds);
        fds.clear();
        return taken;
    }

    /** Transfers the ownership of the first descriptor to the caller. */
    public OwnedFd take() {
        return fds.removeFirst();
    }

    @Override
    public void close() {
        fds.forEach(OwnedFd::close);
        fds.clear();
    }

    List<OwnedFd> list() {
        return fds;
    }
}
