package org.vhostuserrng.transport.pci;

import org.vhostuserrng.transport.virtio.VirtioDevice;

/** Creates the PCI function of a device, one per session. */
@FunctionalInterface
public interface PciFunctionFactory {
    /**
     * Creates a function in its initial state.
     *
     * @param device the device that the function presents
     * @param host carries out what the function asks for; it calls back only after this method has returned
     */
    PciFunction create(VirtioDevice device, PciFunctionHost host);
}
