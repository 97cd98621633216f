package org.vhostuserrng.backends.sys;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.vhostuserrng.libc.Libc;

/**
 * The raw mode of a terminal (termios(3)), in which no byte has a special meaning, such as a signal, an end of file,
 * flow control or a line end. Confined to one thread.
 */
public final class TerminalRawMode {
    /** The value of a baud rate that does not change the current one. */
    public static final int BAUD_UNCHANGED = 0;

    private static final MemorySegment IOCTL = Libc.symbol("ioctl");
    // Linux include/uapi/asm-generic/ioctls.h
    private static final int TCGETS = 0x5401;
    private static final int TCFLSH = 0x540b;
    private static final int TCGETS2 = 0x802c542a;
    private static final int TCSETS2 = 0x402c542b;
    private static final int TCIFLUSH = 0;

    // struct termios2 { u32 c_iflag, c_oflag, c_cflag, c_lflag; u8 c_line, c_cc[19]; u32 c_ispeed, c_ospeed; }
    // Linux include/uapi/asm-generic/termbits.h
    private static final int TERMIOS2_BYTES = 44;
    private static final int TERMIOS_BYTES = 36;
    private static final int C_IFLAG = 0;
    private static final int C_OFLAG = 4;
    private static final int C_CFLAG = 8;
    private static final int C_LFLAG = 12;
    private static final int C_CC = 17;
    private static final int C_ISPEED = 36;
    private static final int C_OSPEED = 40;
    private static final int VTIME = 5;
    private static final int VMIN = 6;
    private static final int CSIZE_PARENB_CSTOPB = 0x170;
    private static final int CS8_CREAD_CLOCAL = 0x8b0;
    private static final int CBAUD = 0x100f;
    private static final int CIBAUD = CBAUD << 16;
    private static final int BOTHER = 0x1000;

    private final EntropyFile terminal;
    private final MemorySegment previous = Arena.ofAuto().allocate(TERMIOS2_BYTES, Integer.BYTES);

    private TerminalRawMode(EntropyFile terminal) {
        this.terminal = terminal;
    }

    /** Returns whether a descriptor refers to a terminal, like isatty(3). */
    static boolean isTerminal(int fd) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment termios = arena.allocate(TERMIOS_BYTES, Integer.BYTES);
            return Libc.callInt(IOCTL, fd, TCGETS, termios.address(), 0, 0) == 0;
        }
    }

    /**
     * Switches a terminal to raw mode with 8 data bits, and discards input that arrived before.
     *
     * @param baud the baud rate in bits per second, or {@link #BAUD_UNCHANGED}
     * @throws IOException if the terminal refuses the mode, with the description of the errno
     */
    public static TerminalRawMode enter(EntropyFile terminal, int baud) throws IOException {
        TerminalRawMode mode = new TerminalRawMode(terminal);
        mode.call("TCGETS2", TCGETS2, mode.previous.address());
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment raw = arena.allocate(TERMIOS2_BYTES, Integer.BYTES);
            raw.copyFrom(mode.previous);
            makeRaw(raw);
            if (baud != BAUD_UNCHANGED) {
                setBaud(raw, baud);
            }
            mode.call("TCSETS2", TCSETS2, raw.address());
        }
        mode.call("TCFLSH", TCFLSH, TCIFLUSH);
        return mode;
    }

    private static void makeRaw(MemorySegment termios) {
        termios.set(ValueLayout.JAVA_INT, C_IFLAG, 0);
        termios.set(ValueLayout.JAVA_INT, C_OFLAG, 0);
        termios.set(ValueLayout.JAVA_INT, C_LFLAG, 0);
        int flags = termios.get(ValueLayout.JAVA_INT, C_CFLAG);
        termios.set(ValueLayout.JAVA_INT, C_CFLAG, (flags & ~CSIZE_PARENB_CSTOPB) | CS8_CREAD_CLOCAL);
        termios.set(ValueLayout.JAVA_BYTE, C_CC + VMIN, (byte) 1);
        termios.set(ValueLayout.JAVA_BYTE, C_CC + VTIME, (byte) 0);
    }

    private static void setBaud(MemorySegment termios, int baud) {
        int flags = termios.get(ValueLayout.JAVA_INT, C_CFLAG);
        termios.set(ValueLayout.JAVA_INT, C_CFLAG, (flags & ~(CBAUD | CIBAUD)) | BOTHER);
        termios.set(ValueLayout.JAVA_INT, C_ISPEED, baud);
        termios.set(ValueLayout.JAVA_INT, C_OSPEED, baud);
    }

    /**
     * Restores the previous mode of the terminal. A failure is ignored, for example because the terminal was unplugged.
     */
    public void restore() {
        int ignored = Libc.callInt(IOCTL, terminal.fd(), TCSETS2, previous.address(), 0, 0);
        assert ignored <= 0;
    }

    private void call(String name, int request, long argument) throws IOException {
        int result = Libc.callInt(IOCTL, terminal.fd(), Integer.toUnsignedLong(request), argument, 0, 0);
        if (result < 0) {
            throw new IOException("ioctl(" + name + "): " + EntropyFile.describe(result));
        }
    }
}
