/** The daemon: parses the command line, connects transport, device and backends, and shuts down in order. */
module org.vhostuserrng.daemon {
    requires jdk.jfr;
    requires org.vhostuserrng.libc;
    requires org.vhostuserrng.transport;
    requires org.vhostuserrng.backends;
    requires org.vhostuserrng.device;
    requires org.apache.commons.cli;
    requires com.electronwill.nightconfig.core;
    requires com.electronwill.nightconfig.toml;
    requires org.slf4j;
}
