package org.vhostuserrng.it;

import org.vhostuserrng.frontend.FrontendMessageType;

/** VHOST_USER_SET_VRING_ERR. */
class SetVringErrIT extends SetVringEventFdIT {
    SetVringErrIT() {
        super(FrontendMessageType.SET_VRING_ERR);
    }
}
