package org.vhostuserrng.backends.sys;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.vhostuserrng.libc.Libc;
import org.vhostuserrng.libc.OwnedFd;

/** The two ends of a new pipe. Closes the ends that were not taken. Confined to one thread. */
final class PipePair implements AutoCloseable {
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

    static PipePair open() throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment ends = arena.allocate(ValueLayout.JAVA_INT, 2);
            int result = Libc.callInt(PIPE2, ends.address(), O_CLOEXEC, 0, 0, 0);
            if (result < 0) {
                throw new IOException("pipe2: " + EntropyFile.describe(result));
            }
            return new PipePair(
                    new OwnedFd(ends.getAtIndex(ValueLayout.JAVA_INT, 0)),
                    new OwnedFd(ends.getAtIndex(ValueLayout.JAVA_INT, 1)));
        }
    }

    OwnedFd readEnd() {
        return readEnd;
    }

    OwnedFd writeEnd() {
        return writeEnd;
    }

    /** Passes the ownership to the caller. */
    OwnedFd takeReadEnd() {
        readEndTaken = true;
        return readEnd;
    }

    /** Passes the ownership to the caller. */
    OwnedFd takeWriteEnd() {
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
