/**
 * The virtio entropy device (VIRTIO 1.3 §5.4): fills the buffers of a virtqueue from an entropy source, within rate
 * limits. Independent of ring formats and of the transport. All types are confined to the event loop's thread.
 */
package org.vhostuserrng.device.rng;
