/**
 * A vhost-user front-end (the VMM's side) and a virtio entropy driver (the guest's side), for tests and benchmarks.
 * This is an independent implementation of the specifications. It shares no code with the daemon, so that tests find an
 * error in one of the two.
 *
 * <ul>
 *   <li>{@link org.vhostuserrng.frontend.FrontendSocket} sends and receives messages;
 *       {@link org.vhostuserrng.frontend.FrontendSession} sends them in the same order as QEMU.
 *   <li>{@link org.vhostuserrng.frontend.DriverRing} is the driver's side of a virtqueue, split or packed.
 *   <li>{@link org.vhostuserrng.frontend.EntropyDriver} combines both with guest memory into a guest.
 *   <li>{@link org.vhostuserrng.frontend.VfioUserClient} sends and receives messages of vfio-user; {@link
 *       org.vhostuserrng.frontend.VfioUserEntropyDriver} is a guest that drives the PCI function.
 *   <li>{@link org.vhostuserrng.frontend.FdPassingListener} and {@link org.vhostuserrng.frontend.FdPassingSocket} are
 *       for a proxy between a front-end and a back-end.
 *   <li>{@link org.vhostuserrng.frontend.FrontendMessageType}, {@link org.vhostuserrng.frontend.ProtocolFeatureBit} and
 *       {@link org.vhostuserrng.frontend.VirtioFeatureBit} are the ids and bits of the specifications.
 * </ul>
 *
 * <p>Classes are not thread-safe unless documented otherwise.
 */
package org.vhostuserrng.frontend;
