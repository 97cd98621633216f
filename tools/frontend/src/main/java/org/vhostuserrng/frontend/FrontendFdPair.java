package org.vhostuserrng.frontend;

/** Two connected descriptors of a front-end, such as the ends of a pipe. Each can be passed or closed separately. */
abstract class FrontendFdPair implements AutoCloseable {
    private static final int CLOSED = -1;

    private int readEnd;
    private int writeEnd;

    /** Takes ownership of two descriptors: the read end and the write end, in this order. */
    FrontendFdPair(int... ends) {
        readEnd = ends[0];
        writeEnd = ends[1];
    }

    public int readEnd() {
        return readEnd;
    }

    public int writeEnd() {
        return writeEnd;
    }

    public void closeReadEnd() {
        readEnd = closeEnd(readEnd);
    }

    public void closeWriteEnd() {
        writeEnd = closeEnd(writeEnd);
    }

    private static int closeEnd(int end) {
        if (end != CLOSED) {
            FrontendLibc.calls().close(end);
        }
        return CLOSED;
    }

    @Override
    public void close() {
        closeReadEnd();
        closeWriteEnd();
    }
}
