/**
 * The VMM's side of vhost-user and the guest driver's side of a virtqueue, written from the specifications alone
 * and sharing no code with the daemon: what the two halves agree on, the documents say.
 *
 * <p>{@link org.vhostuserrng.frontend.FrontendSocket} moves messages, {@link org.vhostuserrng.frontend.FrontendSession}
 * speaks them in the order QEMU does, {@link org.vhostuserrng.frontend.DriverSplitRing} and
 * {@link org.vhostuserrng.frontend.DriverPackedRing} are the driver's half of a virtqueue on any {@link java.lang.foreign.MemorySegment}, and {@link org.vhostuserrng.frontend.EntropyDriver} joins
 * them into a guest with an entropy device.
 *
 * <p>What stands between a front-end and a back-end uses {@link org.vhostuserrng.frontend.FdPassingListener} and {@link
 * org.vhostuserrng.frontend.FdPassingSocket}; the names of everything that passes are in {@link
 * org.vhostuserrng.frontend.FrontendMessageType}, {@link org.vhostuserrng.frontend.ProtocolFeatureBit} and {@link
 * org.vhostuserrng.frontend.VirtioFeatureBit}.
 *
 * <p>Unless it says otherwise, no class here may be used by two threads at once.
 */
package org.vhostuserrng.frontend;
