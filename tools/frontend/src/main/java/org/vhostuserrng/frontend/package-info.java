/**
 * The VMM's side of vhost-user and the guest driver's side of a virtqueue, written from the specifications alone
 * and sharing no code with the daemon: what the two halves agree on, the documents say.
 *
 * <p>{@link org.vhostuserrng.frontend.FrontendSocket} moves messages, {@link org.vhostuserrng.frontend.FrontendSession}
 * speaks them in the order QEMU does, {@link org.vhostuserrng.frontend.SplitDriverRing} and
 * {@link org.vhostuserrng.frontend.PackedDriverRing} are the driver's half of a virtqueue on any {@link java.lang.foreign.MemorySegment}, and {@link org.vhostuserrng.frontend.EntropyDriver} joins
 * them into a guest with an entropy device.
 *
 * <p>What stands between a front-end and a back-end uses {@link org.vhostuserrng.frontend.DescriptorListener} and {@link
 * org.vhostuserrng.frontend.DescriptorSocket}; the names of everything that passes are in {@link
 * org.vhostuserrng.frontend.FrontendMessageType}, {@link org.vhostuserrng.frontend.ProtocolFeature} and {@link
 * org.vhostuserrng.frontend.VirtioFeature}.
 *
 * <p>Unless it says otherwise, no class here may be used by two threads at once.
 */
package org.vhostuserrng.frontend;
