package org.vhostuserrng.device.rng;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** JFR event: a guest waited for its own or the total rate limit. */
@Name("org.vhostuserrng.RngThrottled")
@Label("Throttled")
@Category("vhost-user-rng")
@Description("A guest waited for its own or the total rate limit")
@StackTrace(false)
final class RngThrottledEvent extends Event {
    @Label("Guest")
    final String guest;

    RngThrottledEvent(String guest) {
        this.guest = guest;
    }
}
