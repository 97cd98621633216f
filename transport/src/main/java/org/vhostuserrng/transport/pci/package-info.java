/**
 * The interface between a PCI function and the transport that connects it to a VMM. The function implements
 * {@link org.vhostuserrng.transport.pci.PciFunction}: its configuration space and its BARs. The transport implements
 * {@link org.vhostuserrng.transport.pci.PciFunctionHost}: interrupts, guest memory and the virtqueues in it. Everything
 * runs on the event loop's thread.
 */
package org.vhostuserrng.transport.pci;
