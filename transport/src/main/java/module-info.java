/** vhost-user back-end protocol, guest memory, and the event loop that serves both. */
module org.vhostuserrng.transport {
    requires org.slf4j;
    requires org.jctools.core;

    exports org.vhostuserrng.transport;
}
