package org.vhostuserrng.transport.vhostuser.protocol;

import org.vhostuserrng.libc.OwnedFd;
import org.vhostuserrng.transport.vhostuser.protocol.FrontendRequest.Inflight;

/** Sends replies to a front-end. Sends the rest later if the socket is full. Confined to the loop's thread. */
public interface ReplySender {
    /** Replies to a request with a u64. */
    void reply(int id, long value) throws FramingViolationException;

    /** Replies to a request with a vring state: index and num, two u32. */
    void reply(int id, int index, int num) throws FramingViolationException;

    /**
     * Replies to a request with an inflight description and the descriptor of the buffer.
     *
     * @param file the descriptor of the buffer; this object takes ownership
     */
    void reply(int id, Inflight inflight, OwnedFd file) throws FramingViolationException;
}
