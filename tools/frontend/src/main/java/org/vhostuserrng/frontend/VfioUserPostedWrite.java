package org.vhostuserrng.frontend;

import java.io.IOException;

/** A REGION_WRITE without a reply that can be sent any number of times. Does not allocate after construction. */
final class VfioUserPostedWrite {
    private final FrontendSocket socket;
    private final byte[] message;
    private final FrontendMsghdr header;

    /**
     * Prepares the message.
     *
     * @param message the whole message; all writes have its message id, because none of them has a reply
     */
    VfioUserPostedWrite(FrontendSocket socket, byte[] message) {
        this.socket = socket;
        this.message = message.clone();
        this.header = new FrontendMsghdr(message.length);
    }

    void send() throws IOException {
        socket.sendRaw(header, message);
    }
}
