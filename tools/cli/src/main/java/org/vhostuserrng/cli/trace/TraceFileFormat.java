package org.vhostuserrng.cli.trace;

/**
 * The file format of {@code --record}, version 1. Numbers are unsigned and little-endian. A text is its length in
 * bytes, u32, followed by UTF-8.
 *
 * <pre>
 *   file     magic "vu-trace", u32 version, then frames until the end of the file
 *   frame    u32 length of the rest of the frame, u8 type, fields of the type:
 *     1      session opened   u32 session, u64 milliseconds since 1970, text listen, text connect
 *     2      message sent     u64 nanoseconds since the session was opened, u8 side (0 front-end or client,
 *                             1 back-end or server),
 *                             u32 length, header and payload in the byte order of the recording host; without the
 *                             data of the vfio-user commands DMA_READ and DMA_WRITE, which is guest memory,
 *                             u32 number of fds, per fd: u32 offset of the byte it arrived with, text description
 *     3      session closed   u64 nanoseconds, text reason
 * </pre>
 *
 * Each frame is written with a single write(2), so that only the last frame of a truncated file can be incomplete.
 */
final class TraceFileFormat {
    /** The bytes of "vu-trace" as a little-endian number. */
    static final long MAGIC = 0x6563_6172_742d_7576L;

    static final int VERSION = 1;

    static final int OPENED = 1;
    static final int MESSAGE = 2;
    static final int CLOSED = 3;

    /** Maximum size of a frame in bytes: more than a message and the descriptions of 253 file descriptors need. */
    static final int MAX_FRAME_BYTES = 1 << 22;

    private TraceFileFormat() {}
}
