package org.vhostuserrng.daemon.hold;

import org.vhostuserrng.libc.OwnedFd;

/** A descriptor that is passed to the service under a name. */
record NamedFd(String name, OwnedFd fd) {}
