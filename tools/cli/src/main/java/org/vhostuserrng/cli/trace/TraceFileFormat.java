package org.vhostuserrng.cli.trace;

/**
 * The file of {@code --record}, version 1. Numbers are little-endian and unsigned; a text is its length in bytes as a u32
 * and then UTF-8.
 *
 * <pre>
 *   file     magic "vu-trace", u32 version, then frames till the end
 *   frame    u32 length of what follows, u8 kind, the kind's own
 *     1      opened   u32 session, u64 milliseconds since 1970, text listen, text connect
 *     2      message  u64 nanoseconds since the session was opened, u8 side (0 front-end, 1 back-end),
 *                     u32 length, so many bytes of header and payload in the byte order of the machine that ran it,
 *                     u32 count of descriptors, each: u32 offset of the byte it came with, text description
 *     3      closed   u64 nanoseconds, text why
 * </pre>
 *
 * Each frame is written at once, so that a record that ends early ends with whole frames or within its last.
 */
final class TraceFileFormat {
    /** "vu-trace" as its bytes in ascending order. */
    static final long MAGIC = 0x6563_6172_742d_7576L;

    static final int VERSION = 1;

    static final int OPENED = 1;
    static final int MESSAGE = 2;
    static final int CLOSED = 3;

    /** No frame is longer: a message, and the descriptions of 253 descriptors. */
    static final int MAX_FRAME_BYTES = 1 << 22;

    private TraceFileFormat() {}
}
