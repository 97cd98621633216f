package org.vhostuserrng.transport.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.util.OptionalLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.vhostuserrng.transport.sys.MemoryMapping;
import org.vhostuserrng.transport.sys.SealedMemfd;

class VirtqueueDirtyLoggerTest {
    private static final long PAGE = 4096;

    private final DirtyPageLog log = new DirtyPageLog();
    private final VirtqueueDirtyLogger logger = new VirtqueueDirtyLogger(log);
    private MemoryMapping bitmap;

    @BeforeEach
    void open() throws IOException {
        bitmap = MemoryMapping.adopt(SealedMemfd.create("log", PAGE), 0, Long.BYTES)
                .open();
        log.setBitmap(bitmap);
    }

    @AfterEach
    void close() {
        log.close();
    }

    /** Returns the first 64 bits of the log, one bit per page. */
    private long marked() {
        return bitmap.segment().get(ValueLayout.JAVA_LONG, 0);
    }

    @Test
    void logsNothingInitially() {
        logger.logBufferWrite(0, PAGE);
        logger.logRingWrite(0, PAGE);

        assertEquals(0, marked());
        assertFalse(logger.isBufferLogging());
        assertEquals(OptionalLong.empty(), logger.ringLogAddress());
    }

    @Test
    void logsBufferWritesAtTheirAddress() {
        logger.setBufferLogging(true);

        logger.logBufferWrite(3 * PAGE, PAGE);
        logger.logRingWrite(5 * PAGE, PAGE);

        assertEquals(1 << 3, marked());
        assertTrue(logger.isBufferLogging());
    }

    @Test
    void logsRingWritesAtTheirOffsetFromTheRing() {
        logger.enableRingLogging(3 * PAGE);

        logger.logRingWrite(2 * PAGE, 1);
        logger.logBufferWrite(0, PAGE);

        assertEquals(1 << 5, marked());
        assertEquals(OptionalLong.of(3 * PAGE), logger.ringLogAddress());
    }

    @Test
    void logsNothingWhenSwitchedOff() {
        logger.setBufferLogging(true);
        logger.enableRingLogging(0);
        logger.setBufferLogging(false);
        logger.disableRingLogging();

        logger.logBufferWrite(0, PAGE);
        logger.logRingWrite(0, PAGE);

        assertEquals(0, marked());
        assertEquals(OptionalLong.empty(), logger.ringLogAddress());
    }
}
