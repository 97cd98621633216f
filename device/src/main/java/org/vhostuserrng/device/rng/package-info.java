/** The virtio entropy device (VIRTIO 1.3 §5.4). */
package org.vhostuserrng.device.rng;
