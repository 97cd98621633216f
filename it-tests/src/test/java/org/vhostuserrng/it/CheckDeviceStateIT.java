package org.vhostuserrng.it;

import static org.vhostuserrng.frontend.FrontendMessageType.CHECK_DEVICE_STATE;

import org.vhostuserrng.frontend.Payload;

/** VHOST_USER_CHECK_DEVICE_STATE. */
class CheckDeviceStateIT extends MessageContract {
    CheckDeviceStateIT() {
        super(Message.of(CHECK_DEVICE_STATE, Payload.none()));
    }
}
