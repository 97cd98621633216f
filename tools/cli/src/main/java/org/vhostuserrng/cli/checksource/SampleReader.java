package org.vhostuserrng.cli.checksource;

import java.io.IOException;
import java.lang.foreign.MemorySegment;

/** An open source of raw samples, one per byte. Confined to one thread. */
interface SampleReader extends AutoCloseable {
    /** Result of {@link #read}: no samples arrived within a short time. */
    int NOTHING_YET = 0;
    /** Result of {@link #read}: the source has ended without an error, for example at the end of a file. */
    int END = -1;
    /** Result of {@link #read}: the source has failed. */
    int FAILED = -2;

    /**
     * Reads samples to the beginning of {@code target}. Waits for a short time if no samples are available.
     *
     * @param length maximum number of samples, at least 1
     * @return the number of samples, {@link #NOTHING_YET}, {@link #END} or {@link #FAILED}
     */
    int read(MemorySegment target, int length) throws IOException, InterruptedException;

    @Override
    void close();
}
