package org.vhostuserrng.backends.local;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.vhostuserrng.backends.readahead.BlockingEntropySource;
import org.vhostuserrng.backends.readahead.NoiseSourceOptions;
import org.vhostuserrng.backends.readahead.ReadAheadSourceSpec;
import org.vhostuserrng.backends.sys.ComScireQngDevice;
import org.vhostuserrng.backends.sys.WakeablePoller;

/** The source {@code qng} or {@code qng:LIBRARY}: a ComScire quantum random number generator on USB. */
public final class ComScireQngSourceSpec extends ReadAheadSourceSpec {
    /** The keyword in an expression. */
    public static final String NAME = "qng";
    /** The keyword in an expression that specifies the library. */
    public static final String PREFIX = NAME + ":";

    private static final String LIBRARY = "libqwqngx.so";
    private static final double DEFAULT_MIN_ENTROPY = 4;

    private final String library;

    private ComScireQngSourceSpec(String library, NoiseSourceOptions options) {
        super(options);
        this.library = library;
    }

    /** Parses {@code text}, which starts with one of the two keywords. */
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
    public void probe() throws IOException {
        super.probe();
        ComScireQngDevice.open(library).close();
    }

    @Override
    protected double defaultMinEntropy() {
        return DEFAULT_MIN_ENTROPY;
    }

    /** Creates the source without opening the library, because only the read-ahead thread may use the library. */
    @Override
    protected BlockingEntropySource openBlocking() {
        return new QngBlockingSource();
    }

    /**
     * A source that always reads the maximum length with one call of the driver, because a call takes the same time for
     * any length.
     */
    private final class QngBlockingSource implements BlockingEntropySource {
        private final MemorySegment buffer = Arena.ofAuto().allocate(ComScireQngDevice.MAX_READ_BYTES);
        private int readIndex = ComScireQngDevice.MAX_READ_BYTES;
        private ComScireQngDevice device;

        @Override
        public int read(MemorySegment target, long offset, int length, WakeablePoller poller) throws IOException {
            if (readIndex == ComScireQngDevice.MAX_READ_BYTES) {
                refill();
            }
            int bytes = Math.min(length, ComScireQngDevice.MAX_READ_BYTES - readIndex);
            MemorySegment.copy(buffer, readIndex, target, offset, bytes);
            buffer.asSlice(readIndex, bytes).fill((byte) 0);
            readIndex += bytes;
            return bytes;
        }

        private void refill() throws IOException {
            try {
                if (device == null) {
                    device = ComScireQngDevice.open(library);
                }
                device.fill(buffer, 0, ComScireQngDevice.MAX_READ_BYTES);
                readIndex = 0;
            } catch (IOException failure) {
                // Closes the device, because it may have been unplugged. The next attempt opens it again.
                close();
                throw failure;
            }
        }

        @Override
        public void close() {
            buffer.fill((byte) 0);
            readIndex = ComScireQngDevice.MAX_READ_BYTES;
            if (device != null) {
                device.close();
                device = null;
            }
        }
    }
}
