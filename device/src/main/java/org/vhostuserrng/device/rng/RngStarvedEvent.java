package org.vhostuserrng.device.rng;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** In flight recordings: a wait of a guest for the source. */
@Name("org.vhostuserrng.Starve")
@Label("Starve")
@Category("vhost-user-rng")
@Description("A guest's next request waited for the source")
@StackTrace(false)
final class RngStarvedEvent extends Event {
    @Label("Guest")
    final String guest;

    RngStarvedEvent(String guest) {
        this.guest = guest;
    }
}
