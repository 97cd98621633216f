/** Native calls that the transport and backends modules share: libc functions, errno, file descriptors. */
module org.vhostuserrng.libc {
    exports org.vhostuserrng.libc;
}
