package org.vhostuserrng.transport.systemd;

import java.io.IOException;
import java.util.Map;
import org.vhostuserrng.transport.sys.UnixDatagramSocket;

/** Reads the address of the service manager's notification socket from the variable NOTIFY_SOCKET (sd_notify(3)). */
final class NotifySocketAddress {
    private static final String NOTIFY_SOCKET = "NOTIFY_SOCKET";

    private NotifySocketAddress() {}

    /**
     * Opens a socket that sends to the service manager.
     *
     * @return the socket; null without a service manager
     * @throws IOException if the variable is malformed; the message has the variable, its value and the expected form
     */
    static UnixDatagramSocket open(Map<String, String> environment) throws IOException {
        String address = environment.get(NOTIFY_SOCKET);
        if (address == null || address.isEmpty()) {
            return null;
        }
        try {
            return UnixDatagramSocket.to(address);
        } catch (IllegalArgumentException malformed) {
            throw new IOException(NOTIFY_SOCKET + "='" + address + "': " + malformed.getMessage(), malformed);
        }
    }
}
