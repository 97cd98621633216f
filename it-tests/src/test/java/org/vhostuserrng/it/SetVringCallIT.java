package org.vhostuserrng.it;

import org.vhostuserrng.frontend.FrontendMessageType;

/** VHOST_USER_SET_VRING_CALL. */
class SetVringCallIT extends SetVringEventFdIT {
    SetVringCallIT() {
        super(FrontendMessageType.SET_VRING_CALL);
    }
}
