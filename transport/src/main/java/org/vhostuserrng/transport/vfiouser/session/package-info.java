/**
 * Sessions of vfio-user clients: the execution of commands, DMA regions, interrupts and virtqueues. Registers belong to
 * the {@link org.vhostuserrng.transport.pci.PciFunction}.
 *
 * <p>A DMA region without a descriptor is accessed by commands to the client. A split virtqueue that needs one is
 * copied: {@link org.vhostuserrng.transport.vfiouser.session.ShadowVirtqueue}. The device serves the copy as if it
 * were guest memory, and writes random bytes to private memory, from which they are moved, sent and wiped. Bytes that
 * the guest does not get are wiped as well; they are charged to the guest's limits, and no other request gets them.
 *
 * <p>Everything is confined to the event loop's thread, but for files of the client, which its
 * {@link org.vhostuserrng.transport.sys.PeerFileExecutor} opens, maps, unmaps and closes.
 */
package org.vhostuserrng.transport.vfiouser.session;
