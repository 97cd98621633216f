/** vhost-user back-end protocol, guest memory, and the event loop that serves both. */
module org.vhostuserrng.transport {
    requires jdk.jfr;
    requires org.jctools.core;
    requires org.slf4j;

    exports org.vhostuserrng.transport;
    exports org.vhostuserrng.transport.server;
}
