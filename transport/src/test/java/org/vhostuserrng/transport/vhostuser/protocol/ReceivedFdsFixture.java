package org.vhostuserrng.transport.vhostuser.protocol;

import java.util.List;
import org.vhostuserrng.libc.OwnedFd;

/** Creates the descriptors of a message without a socket. */
public final class ReceivedFdsFixture {
    private ReceivedFdsFixture() {}

    /** The descriptors of one message, which owns them. Their IDs are their numbers. */
    public static ReceivedFds of(OwnedFd... descriptors) {
        ReceivedFds fds = new ReceivedFds();
        for (OwnedFd descriptor : descriptors) {
            descriptor.setId(descriptor.number());
        }
        fds.list().addAll(List.of(descriptors));
        return fds;
    }
}
