package org.vhostuserrng.cli.doctor;

import java.util.List;

/** A check of this host. */
interface HostCheck {
    /** Runs the check, and changes nothing. */
    List<CheckResult> run() throws InterruptedException;
}
