/**
 * The command {@code hold}: a service manager for one service, on hosts and in containers without systemd. It holds the
 * descriptors that the service stores ({@link org.vhostuserrng.daemon.hold.FdStore}), restarts the service, and passes
 * the descriptors to the new process. Everything runs on the main thread, except that another thread closes received
 * descriptors.
 */
package org.vhostuserrng.daemon.hold;
