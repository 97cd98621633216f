package org.vhostuserrng.cli.egd;

/**
 * The protocol of EGD 0.9. The client sends commands; the server replies in the same order. Integers are big-endian.
 * The protocol has neither error replies nor message ids, so that a server must disconnect after an unknown command.
 */
final class EgdProtocol {
    /** No argument. Reply: available entropy in bits, u32. */
    static final byte LEVEL = 0x00;
    /** Argument: n, 1 to 255. Immediate reply: m, 0 to n, then m random bytes. */
    static final byte READ_NON_BLOCKING = 0x01;
    /** Argument: n, 1 to 255. Reply: n random bytes, sent as they become available. */
    static final byte READ_BLOCKING = 0x02;
    /** Arguments: entropy in bits, u16; length, u8; that many bytes. No reply. */
    static final byte WRITE = 0x03;
    /** No argument. Reply: length, u8; then the server's process ID in ASCII, of that length. */
    static final byte PID = 0x04;

    /** Maximum number of bytes that one command reads. */
    static final int MAX_READ_BYTES = 255;

    private EgdProtocol() {}
}
