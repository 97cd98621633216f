package org.vhostuserrng.backends;

import java.lang.foreign.MemorySegment;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vhostuserrng.backends.sys.RandomFile;

/** A file that never blocks: read straight into the memory that is to be filled, nothing is kept. */
final class DirectSource implements EntropySource {
    private static final Logger LOG = LoggerFactory.getLogger(DirectSource.class);

    private final RandomFile file;

    DirectSource(RandomFile file) {
        this.file = file;
    }

    @Override
    public int fill(MemorySegment target, long offset, int length) {
        int read = file.read(target, offset, length);
        if (read > 0) {
            return read;
        }
        return read == RandomFile.EFAULT ? TARGET_GONE : failed(read);
    }

    private int failed(int result) {
        LOG.error("{}: {}; guests wait", file.path(), result == 0 ? "unexpected end" : RandomFile.describe(result));
        return FAILED;
    }

    @Override
    public void close() {
        file.close();
    }
}
