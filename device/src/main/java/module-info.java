/** The virtio entropy device: virtqueues joined to a source of randomness. */
module org.vhostuserrng.device {
    requires jdk.jfr;
    requires transitive org.vhostuserrng.transport;
    requires transitive org.vhostuserrng.backends;

    exports org.vhostuserrng.device.rng;
}
