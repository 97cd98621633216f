package org.vhostuserrng.backends;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.vhostuserrng.backends.sys.QngLibrary;
import org.vhostuserrng.backends.sys.Waiter;

/** {@code qng} or {@code qng:LIBRARY}: a ComScire quantum generator on USB. */
final class QngSpec extends RawSpec {
    static final String NAME = "qng";
    static final String PREFIX = NAME + ":";
    private static final String LIBRARY = "libqwqngx.so";
    private static final double ASSUMED_MIN_ENTROPY = 4;

    private final String library;

    private QngSpec(String library, RawOptions options) {
        super(options);
        this.library = library;
    }

    /** Of the expression {@code text}, which is one of the two forms. */
    static QngSpec of(String text, RawOptions options) {
        String library = text.equals(NAME) ? LIBRARY : text.substring(PREFIX.length());
        if (library.isEmpty()) {
            throw new IllegalArgumentException("expected qng:LIBRARY, or qng for " + LIBRARY);
        }
        return new QngSpec(library, options);
    }

    @Override
    public String toString() {
        return library.equals(LIBRARY) ? NAME : PREFIX + library;
    }

    @Override
    public void check() throws IOException {
        QngLibrary.open(library).close();
    }

    @Override
    double assumedMinEntropy() {
        return ASSUMED_MIN_ENTROPY;
    }

    /** Opens nothing yet: the library belongs to the thread that reads. */
    @Override
    RawSource openRaw() {
        return new Reader();
    }

    /** Asks for as much as the driver gives at once: each call costs it the same. */
    private final class Reader implements RawSource {
        private final MemorySegment read = Arena.ofAuto().allocate(QngLibrary.MOST_BYTES);
        private int from = QngLibrary.MOST_BYTES;
        private QngLibrary device;

        @Override
        public int read(MemorySegment target, long offset, int length, Waiter waiter) throws IOException {
            if (from == QngLibrary.MOST_BYTES) {
                readAll();
            }
            int bytes = Math.min(length, QngLibrary.MOST_BYTES - from);
            MemorySegment.copy(read, from, target, offset, bytes);
            read.asSlice(from, bytes).fill((byte) 0);
            from += bytes;
            return bytes;
        }

        private void readAll() throws IOException {
            try {
                if (device == null) {
                    device = QngLibrary.open(library);
                }
                device.fill(read, 0, QngLibrary.MOST_BYTES);
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
            from = QngLibrary.MOST_BYTES;
            if (device != null) {
                device.close();
                device = null;
            }
        }
    }
}
