package org.vhostuserrng.it;

import static org.vhostuserrng.frontend.FrontendMessageType.RESET_DEVICE;

import org.vhostuserrng.frontend.Payload;

/** VHOST_USER_RESET_DEVICE. */
class ResetDeviceIT extends MessageContract {
    ResetDeviceIT() {
        super(Message.of(RESET_DEVICE, Payload.none()));
    }
}
