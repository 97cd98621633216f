/** The virtio entropy device: connects virtqueues to a source of random bytes. */
module org.vhostuserrng.device {
    requires jdk.jfr;
    requires transitive org.vhostuserrng.transport;
    requires transitive org.vhostuserrng.backends;

    exports org.vhostuserrng.device.pci;
    exports org.vhostuserrng.device.rng;
}
