package org.vhostuserrng.backends.local;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.vhostuserrng.backends.readahead.BlockingEntropySource;
import org.vhostuserrng.backends.readahead.NoiseSourceOptions;
import org.vhostuserrng.backends.readahead.ReadAheadSourceSpec;
import org.vhostuserrng.backends.sys.ComScireQngLibrary;
import org.vhostuserrng.backends.sys.WakeablePoller;

/** {@code qng} or {@code qng:LIBRARY}: a ComScire quantum generator on USB. */
public final class ComScireQngSourceSpec extends ReadAheadSourceSpec {
    public static final String NAME = "qng";
    public static final String PREFIX = NAME + ":";
    private static final String LIBRARY = "libqwqngx.so";
    private static final double ASSUMED_MIN_ENTROPY = 4;

    private final String library;

    private ComScireQngSourceSpec(String library, NoiseSourceOptions options) {
        super(options);
        this.library = library;
    }

    /** Of the expression {@code text}, which is one of the two forms. */
    public static ComScireQngSourceSpec of(String text, NoiseSourceOptions options) {
        String library = text.equals(NAME) ? LIBRARY : text.substring(PREFIX.length());
        if (library.isEmpty()) {
            throw new IllegalArgumentException("expected qng:LIBRARY, or qng for " + LIBRARY);
        }
        return new ComScireQngSourceSpec(library, options);
    }

    @Override
    public String toString() {
        return library.equals(LIBRARY) ? NAME : PREFIX + library;
    }

    @Override
    public void check() throws IOException {
        ComScireQngLibrary.open(library).close();
    }

    @Override
    protected double assumedMinEntropy() {
        return ASSUMED_MIN_ENTROPY;
    }

    /** Opens nothing yet: the library belongs to the thread that reads. */
    @Override
    protected BlockingEntropySource openRaw() {
        return new Reader();
    }

    /** Asks for as much as the driver gives at once: each call costs it the same. */
    private final class Reader implements BlockingEntropySource {
        private final MemorySegment read = Arena.ofAuto().allocate(ComScireQngLibrary.MOST_BYTES);
        private int from = ComScireQngLibrary.MOST_BYTES;
        private ComScireQngLibrary device;

        @Override
        public int read(MemorySegment target, long offset, int length, WakeablePoller waiter) throws IOException {
            if (from == ComScireQngLibrary.MOST_BYTES) {
                readAll();
            }
            int bytes = Math.min(length, ComScireQngLibrary.MOST_BYTES - from);
            MemorySegment.copy(read, from, target, offset, bytes);
            read.asSlice(from, bytes).fill((byte) 0);
            from += bytes;
            return bytes;
        }

        private void readAll() throws IOException {
            try {
                if (device == null) {
                    device = ComScireQngLibrary.open(library);
                }
                device.fill(read, 0, ComScireQngLibrary.MOST_BYTES);
                from = 0;
            } catch (IOException failure) {
                // It may have been unplugged: with the next attempt it is looked for anew.
                close();
                throw failure;
            }
        }

        @Override
        public void close() {
            read.fill((byte) 0);
            from = ComScireQngLibrary.MOST_BYTES;
            if (device != null) {
                device.close();
                device = null;
            }
        }
    }
}
