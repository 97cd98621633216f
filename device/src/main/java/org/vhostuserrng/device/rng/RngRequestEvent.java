package org.vhostuserrng.device.rng;

import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** In flight recordings: a request of a guest, from when it was looked at until its buffers were filled. */
@Name("org.vhostuserrng.Request")
@Label("Request")
@Category("vhost-user-rng")
@Description("A request of a guest that was served")
@StackTrace(false)
final class RngRequestEvent extends Event {
    @Label("Guest")
    final String guest;

    @Label("Bytes")
    @DataAmount
    int bytes;

    RngRequestEvent(String guest) {
        this.guest = guest;
    }
}
