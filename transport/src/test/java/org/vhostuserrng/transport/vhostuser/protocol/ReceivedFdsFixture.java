package org.vhostuserrng.transport.vhostuser.protocol;

import java.util.List;
import org.vhostuserrng.libc.OwnedFd;

/** Creates the descriptors of a message without a socket. */
public final class ReceivedFdsFixture {
    private ReceivedFdsFixture() {}

    /** Creates the descriptors of a message. Takes ownership of them, and sets their IDs to their numbers. */
    public static ReceivedFds of(OwnedFd... descriptors) {
        ReceivedFds fds = new ReceivedFds();
        for (OwnedFd descriptor : descriptors) {
            descriptor.setId(descriptor.number());
        }
        fds.list().addAll(List.of(descriptors));
        return fds;
    }
}
