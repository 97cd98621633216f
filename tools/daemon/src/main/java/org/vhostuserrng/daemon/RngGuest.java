package org.vhostuserrng.daemon;

import org.vhostuserrng.device.rng.VirtioRngDevice;
import org.vhostuserrng.transport.vhostuser.server.VhostUserEndpoint;

/**
 * A guest of this daemon.
 *
 * @param socket the socket as configured
 * @param device the guest's device
 * @param endpoint the server's object for the socket and its session
 */
record RngGuest(RngEndpoint socket, VirtioRngDevice device, VhostUserEndpoint endpoint) {
    String name() {
        return device.name();
    }
}
