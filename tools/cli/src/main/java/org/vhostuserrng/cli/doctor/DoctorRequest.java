package org.vhostuserrng.cli.doctor;

import java.util.Optional;

/**
 * The settings of a run of {@code doctor}. Paths are absolute.
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
