package org.vhostuserrng.transport.systemd;

import java.io.IOException;
import java.util.Map;
import org.vhostuserrng.transport.sys.UnixDatagramSocket;

/** The address of the service manager's notify socket: the variable NOTIFY_SOCKET (sd_notify(3)). */
final class NotifySocketAddress {
    private static final String NOTIFY_SOCKET = "NOTIFY_SOCKET";

    private NotifySocketAddress() {}

    /**
     * Opens a socket that sends to the service manager.
     *
     * @return null without a service manager
     * @throws IOException with the variable, its value and the expected form, if it is malformed
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
