/**
 * The command {@code hold}: a service manager for one service, on hosts and in containers without systemd. It keeps the
 * descriptors that the service stores ({@link org.vhostuserrng.daemon.hold.FdStore}), restarts the service, and passes
 * the descriptors to it again. Everything runs on the main thread; only received descriptors are closed on another.
 */
package org.vhostuserrng.daemon.hold;
