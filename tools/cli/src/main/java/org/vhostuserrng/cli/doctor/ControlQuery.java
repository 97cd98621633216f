package org.vhostuserrng.cli.doctor;

import java.io.IOException;
import java.util.List;
import java.util.Map;

/** Sends a read-only command to the control socket of a daemon. */
@FunctionalInterface
interface ControlQuery {
    /**
     * Returns the records of the response, as fields and their values.
     *
     * @throws IOException if there is no response, or the command failed
     */
    List<Map<String, String>> request(String... words) throws IOException;
}
