package org.vhostuserrng.transport.vhostuser.session;

import org.vhostuserrng.transport.vhostuser.protocol.ProtocolViolationException;

/** SET_FEATURES with a feature that was not offered. The message names the features and the options that offer them. */
final class UnofferedFeaturesViolation extends ProtocolViolationException {
    private static final long serialVersionUID = 1L;

    UnofferedFeaturesViolation(String message) {
        super(message);
    }
}
