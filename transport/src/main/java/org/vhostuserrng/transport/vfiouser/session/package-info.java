/**
 * Sessions of vfio-user clients: the execution of commands, DMA regions, interrupts and virtqueues. Registers belong to
 * the {@link org.vhostuserrng.transport.pci.PciFunction}.
 *
 * <p>Everything is confined to the event loop's thread, but for files of the client, which its
 * {@link org.vhostuserrng.transport.sys.PeerFileExecutor} opens, maps, unmaps and closes.
 */
package org.vhostuserrng.transport.vfiouser.session;
