package org.vhostuserrng.it;

import static org.vhostuserrng.frontend.FrontendMessageType.RESET_DEVICE;

import org.vhostuserrng.frontend.FrontendPayloadEncoder;

/** VHOST_USER_RESET_DEVICE. */
class ResetDeviceIT extends MalformedMessageContract {
    ResetDeviceIT() {
        super(CraftedFrontendMessage.of(RESET_DEVICE, FrontendPayloadEncoder.none()));
    }
}
