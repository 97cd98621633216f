package org.vhostuserrng.backends.local;

import java.lang.foreign.MemorySegment;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vhostuserrng.backends.source.EntropySource;
import org.vhostuserrng.backends.sys.EntropyFile;

/**
 * The source {@code file:/dev/urandom}, which is read directly into the target memory. It never blocks, so it is read
 * on the event loop's thread.
 */
final class UrandomSource implements EntropySource {
    private static final Logger LOG = LoggerFactory.getLogger(UrandomSource.class);

    private final EntropyFile file;

    UrandomSource(EntropyFile file) {
        this.file = file;
    }

    @Override
    public int fill(MemorySegment target, long offset, int length) {
        int read = file.read(target, offset, length);
        if (read > 0) {
            return read;
        }
        return read == EntropyFile.EFAULT ? TARGET_FAULT : failed(read);
    }

    private int failed(int result) {
        LOG.error(
                "{}: {}; guests wait",
                file.path(),
                result == 0 ? "unexpected end of file" : EntropyFile.describe(result));
        return FAILED;
    }

    @Override
    public void close() {
        file.close();
    }
}
