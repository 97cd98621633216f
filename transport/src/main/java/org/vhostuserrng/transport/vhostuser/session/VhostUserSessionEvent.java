package org.vhostuserrng.transport.vhostuser.session;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** JFR event: the time during which a front-end was connected. */
@Name("org.vhostuserrng.VhostUserSession")
@Label("Session")
@Category("vhost-user-rng")
@Description("A front-end was connected")
@StackTrace(false)
final class VhostUserSessionEvent extends Event {
    @Label("Guest")
    final String guest;

    VhostUserSessionEvent(String guest) {
        this.guest = guest;
    }
}
