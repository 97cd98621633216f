/**
 * The virtio entropy device (VIRTIO 1.3 §5.4): connects a virtqueue to an entropy source and the rate limiter.
 * Independent of ring formats and of the transport. Confined to the event loop's thread.
 */
package org.vhostuserrng.device.rng;
