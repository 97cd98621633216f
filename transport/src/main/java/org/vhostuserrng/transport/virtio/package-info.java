/**
 * The interface between a virtio device and a transport. A device implements
 * {@link org.vhostuserrng.transport.virtio.VirtioDevice} and
 * {@link org.vhostuserrng.transport.virtio.VirtqueueHandler}; the transport gives it guest memory and a
 * {@link org.vhostuserrng.transport.virtio.UsedBufferNotifier}. The package is independent of any transport: it uses
 * neither vhost-user's encodings nor PCI registers.
 *
 * <p>All code of the package runs on the event loop's thread. Fences order the accesses to memory that is shared with
 * the guest, because the guest's CPUs run concurrently.
 */
package org.vhostuserrng.transport.virtio;
