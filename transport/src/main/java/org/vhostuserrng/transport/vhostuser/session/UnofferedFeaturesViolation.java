package org.vhostuserrng.transport.vhostuser.session;

import org.vhostuserrng.transport.vhostuser.protocol.ProtocolViolationException;

/**
 * Thrown for a SET_FEATURES with a feature that was not offered. The message has the names of these features, and the
 * options that offer them.
 */
final class UnofferedFeaturesViolation extends ProtocolViolationException {
    private static final long serialVersionUID = 1L;

    UnofferedFeaturesViolation(String message) {
        super(message);
    }
}
