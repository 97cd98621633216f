/**
 * The protocols between systemd, or another service manager, and a service: state notifications (sd_notify(3)) and
 * inherited sockets (sd_listen_fds(3)).
 */
package org.vhostuserrng.transport.systemd;
