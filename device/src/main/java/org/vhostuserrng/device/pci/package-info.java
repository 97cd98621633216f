/**
 * A virtio-pci function (VIRTIO 1.3 §4.1): configuration space, BARs, interrupts and device status. A pure state
 * machine: it changes only when a method of {@link org.vhostuserrng.transport.pci.PciFunction} is called, and acts only
 * through a {@link org.vhostuserrng.transport.pci.PciFunctionHost}. Independent of device type and transport. Confined
 * to the event loop's thread.
 *
 * <p>The VMM and the guest's driver are not trusted: no access throws, and whatever the specifications do not permit
 * has no effect.
 */
package org.vhostuserrng.device.pci;
