package org.vhostuserrng.device.rng;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** In flight recordings: a wait of a guest for its quota, or for the total. */
@Name("org.vhostuserrng.Throttle")
@Label("Throttle")
@Category("vhost-user-rng")
@Description("A guest's next request waited for its quota, or for the total")
@StackTrace(false)
final class RngThrottledEvent extends Event {
    @Label("Guest")
    final String guest;

    RngThrottledEvent(String guest) {
        this.guest = guest;
    }
}
