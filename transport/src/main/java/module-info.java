/** Guest memory, the event loop, the vhost-user back-end protocol and the vfio-user server protocol. */
module org.vhostuserrng.transport {
    requires jdk.jfr;
    requires org.jctools.core;
    requires org.vhostuserrng.libc;
    requires org.slf4j;

    exports org.vhostuserrng.transport.control;
    exports org.vhostuserrng.transport.counters;
    exports org.vhostuserrng.transport.memory;
    exports org.vhostuserrng.transport.pci;
    exports org.vhostuserrng.transport.systemd;
    exports org.vhostuserrng.transport.virtio;
    exports org.vhostuserrng.transport.vhostuser;
    exports org.vhostuserrng.transport.vhostuser.inflight;
    exports org.vhostuserrng.transport.vhostuser.server;
}
