package org.vhostuserrng.libc;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** The two ends of a new pipe. {@link #close} closes the ends that were not taken. Confined to one thread. */
public final class PipePair implements AutoCloseable {
    private static final MemorySegment PIPE2 = Libc.symbol("pipe2");
    private static final int O_CLOEXEC = 0x80000;

    private final OwnedFd readEnd;
    private final OwnedFd writeEnd;
    private boolean readEndTaken;
    private boolean writeEndTaken;

    private PipePair(OwnedFd readEnd, OwnedFd writeEnd) {
        this.readEnd = readEnd;
        this.writeEnd = writeEnd;
    }

    /**
     * Creates a pipe, both ends with O_CLOEXEC.
     *
     * @param flags further flags of pipe2(2), such as {@link OwnedFd#O_NONBLOCK}, or 0
     */
    public static PipePair open(int flags) throws ErrnoException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment ends = arena.allocate(ValueLayout.JAVA_INT, 2);
            ErrnoException.check("pipe2", Libc.callInt(PIPE2, ends.address(), O_CLOEXEC | flags, 0, 0, 0));
            return new PipePair(
                    new OwnedFd(ends.getAtIndex(ValueLayout.JAVA_INT, 0)),
                    new OwnedFd(ends.getAtIndex(ValueLayout.JAVA_INT, 1)));
        }
    }

    /** This object remains the owner. */
    public OwnedFd readEnd() {
        return readEnd;
    }

    /** This object remains the owner. */
    public OwnedFd writeEnd() {
        return writeEnd;
    }

    /** Passes the ownership to the caller. */
    public OwnedFd takeReadEnd() {
        readEndTaken = true;
        return readEnd;
    }

    /** Passes the ownership to the caller. */
    public OwnedFd takeWriteEnd() {
        writeEndTaken = true;
        return writeEnd;
    }

    @Override
    public void close() {
        if (!readEndTaken) {
            readEnd.close();
        }
        if (!writeEndTaken) {
            writeEnd.close();
        }
    }
}
