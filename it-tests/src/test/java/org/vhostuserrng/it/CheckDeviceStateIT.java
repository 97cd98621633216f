package org.vhostuserrng.it;

import static org.vhostuserrng.frontend.FrontendMessageType.CHECK_DEVICE_STATE;

import org.vhostuserrng.frontend.FrontendPayloadEncoder;

/** VHOST_USER_CHECK_DEVICE_STATE. */
class CheckDeviceStateIT extends MalformedMessageContract {
    CheckDeviceStateIT() {
        super(CraftedFrontendMessage.of(CHECK_DEVICE_STATE, FrontendPayloadEncoder.none()));
    }
}
