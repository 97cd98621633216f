package org.vhostuserrng.daemon.hold;

import org.vhostuserrng.libc.OwnedFd;

/** A descriptor that is passed to the service, and its name in LISTEN_FDNAMES. */
record NamedFd(String name, OwnedFd fd) {}
