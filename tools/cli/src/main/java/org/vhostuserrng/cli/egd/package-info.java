/**
 * {@code egd-server}: serves the bytes of a source to clients of the EGD (Entropy Gathering Daemon) protocol, for
 * example QEMU's {@code rng-egd}. {@code bench-egd} measures the daemon's EGD source against a simulated remote server.
 *
 * <p>One thread with one selector serves all clients; types are confined to it unless documented otherwise.
 * {@link org.vhostuserrng.cli.egd.EgdServerSession} is the protocol state of one client, and
 * {@link org.vhostuserrng.cli.egd.EgdRoundRobinScheduler} distributes bytes among clients; neither uses sockets, so
 * that both can be tested without. {@link org.vhostuserrng.cli.egd.EgdServer} connects them with the source and with
 * the clients' sockets ({@link org.vhostuserrng.cli.egd.EgdServerConnection}), which
 * {@link org.vhostuserrng.cli.egd.EgdListener} accepts and {@link org.vhostuserrng.cli.egd.EgdDialer} dials.
 */
package org.vhostuserrng.cli.egd;
