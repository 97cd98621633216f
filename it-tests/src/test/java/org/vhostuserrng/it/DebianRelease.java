package org.vhostuserrng.it;

import java.util.Locale;

/** A suite of Debian: the QEMU and the Linux of one time. */
enum DebianRelease {
    BOOKWORM("7.2", "6.1"),
    TRIXIE("10.0", "6.12"),
    /** The newest there is: what it brings changes from day to day. */
    SID("of sid", "of sid");

    private final String qemu;
    private final String linux;

    DebianRelease(String qemu, String linux) {
        this.qemu = qemu;
        this.linux = linux;
    }

    /** Its name in an archive. */
    String codename() {
        return name().toLowerCase(Locale.ROOT);
    }

    String qemu() {
        return "QEMU " + qemu;
    }

    String linux() {
        return "Linux " + linux;
    }

    /** From 9.0 on the daemon's feature word reaches the guest as it is, and the device's own switches do nothing. */
    boolean hasFeatureSwitches() {
        return this == BOOKWORM;
    }

    /** For the names of tests. */
    @Override
    public String toString() {
        return qemu();
    }
}
