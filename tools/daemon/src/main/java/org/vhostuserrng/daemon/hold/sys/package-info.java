/** The system calls of the command {@code hold}: notify socket, file descriptors and the limit of their number. */
package org.vhostuserrng.daemon.hold.sys;
