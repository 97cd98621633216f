package org.vhostuserrng.device.rng;

import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** JFR event: a request, from the time when the device saw it until its buffers were filled. */
@Name("org.vhostuserrng.RngRequest")
@Label("Request")
@Category("vhost-user-rng")
@Description("The device served a request of a guest")
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
