/**
 * {@code egd-server}: gives the bytes of a source to clients that speak the protocol of the Entropy Gathering Daemon,
 * QEMU's {@code rng-egd} among them.
 *
 * <p>One thread and one selector. An {@link org.vhostuserrng.cli.egd.EgdServerSession} is what one client asked for and
 * is owed, {@link org.vhostuserrng.cli.egd.EgdRoundRobinScheduler} who of them is next when bytes come; neither knows a socket.
 * {@link org.vhostuserrng.cli.egd.EgdServer} moves bytes between them, the clients' sockets and the source. Everything
 * is confined to the server's thread, but where a type says otherwise.
 */
package org.vhostuserrng.cli.egd;
