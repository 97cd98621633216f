package org.vhostuserrng.cli.egd;

/**
 * EGD 0.9's protocol. The client speaks first; commands are answered in their order; integers are big endian. There are
 * no errors and no identifiers: who loses count must close the connection.
 */
final class EgdProtocol {
    /** The command alone; the reply is a u32, bits of entropy that are available. */
    static final byte LEVEL = 0x00;
    /** Followed by n, 1 to 255; the reply is m, at most n and possibly 0, and m bytes, at once. */
    static final byte READ_NON_BLOCKING = 0x01;
    /** Followed by n, 1 to 255; the reply is n bytes, as they come. */
    static final byte READ_BLOCKING = 0x02;
    /** Followed by a u16, bits of entropy in what follows, a u8, its length, and as many bytes; no reply. */
    static final byte WRITE = 0x03;
    /** The command alone; the reply is a u8, its length, and the server's process number in ASCII. */
    static final byte PID = 0x04;

    /** As much as one command reads. */
    static final int MAX_READ_BYTES = 255;

    private EgdProtocol() {}
}
