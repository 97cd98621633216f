package org.vhostuserrng.cli.doctor;

import java.util.Optional;

/**
 * What {@code doctor} is to check. Paths are absolute.
 *
 * @param program the path of the daemon's program
 * @param user the user of the VMs
 */
record DoctorRequest(
        String program,
        Optional<String> socket,
        Optional<String> config,
        Optional<String> controlSocket,
        Optional<UserIds> user) {}
