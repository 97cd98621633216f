/**
 * The interface between a virtio device and a transport. A device implements
 * {@link org.vhostuserrng.transport.virtio.VirtioDevice} and
 * {@link org.vhostuserrng.transport.virtio.VirtqueueHandler}; the transport gives it guest memory and a
 * {@link org.vhostuserrng.transport.virtio.UsedBufferNotifier}. The package is independent of any transport: it uses
 * neither vhost-user's encodings nor PCI registers.
 *
 * <p>Everything runs on the event loop's thread, in program order. Accesses to data that the guest shares are ordered
 * by fences, because the guest is another thread.
 */
package org.vhostuserrng.transport.virtio;
