package org.vhostuserrng.backends;

import java.io.IOException;
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

    private final class Reader implements RawSource {
        private QngLibrary device;

        @Override
        public int read(MemorySegment target, long offset, int length, Waiter waiter) throws IOException {
            if (device == null) {
                device = QngLibrary.open(library);
            }
            int bytes = Math.min(length, QngLibrary.MOST_BYTES);
            try {
                device.fill(target, offset, bytes);
                return bytes;
            } catch (IOException failure) {
                // It may have been unplugged: with the next attempt it is looked for anew.
                close();
                throw failure;
            }
        }

        @Override
        public void close() {
            if (device != null) {
                device.close();
                device = null;
            }
        }
    }
}
