package org.vhostuserrng.it;

import org.vhostuserrng.frontend.FrontendMessageType;

/** VHOST_USER_SET_VRING_KICK. */
class SetVringKickIT extends SetVringEventFdIT {
    SetVringKickIT() {
        super(FrontendMessageType.SET_VRING_KICK);
    }
}
