package org.vhostuserrng.device.rng;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** JFR event: a guest waited for bytes of the entropy source. */
@Name("org.vhostuserrng.RngStarved")
@Label("Starved")
@Category("vhost-user-rng")
@Description("A guest waited for bytes of the entropy source")
@StackTrace(false)
final class RngStarvedEvent extends Event {
    @Label("Guest")
    final String guest;

    RngStarvedEvent(String guest) {
        this.guest = guest;
    }
}
