/**
 * The virtio entropy device (VIRTIO 1.3 §5.4): joins a virtqueue to an entropy source and the rate limiter. Knows
 * neither ring formats nor a transport. Confined to the event loop's thread.
 */
package org.vhostuserrng.device.rng;
