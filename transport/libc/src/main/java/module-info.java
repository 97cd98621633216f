/** Native calls that the transport and backends modules share: libc functions, errno, file descriptors. */
module org.vhostuserrng.libc {
    requires jdk.unsupported;

    exports org.vhostuserrng.libc;
}
