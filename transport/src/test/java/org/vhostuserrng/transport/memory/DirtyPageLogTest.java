package org.vhostuserrng.transport.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vhostuserrng.libc.ErrnoException;
import org.vhostuserrng.transport.sys.Epoll;
import org.vhostuserrng.transport.sys.EventFd;
import org.vhostuserrng.transport.sys.MemoryMapping;
import org.vhostuserrng.transport.sys.SealedMemfd;

class DirtyPageLogTest {
    private static final long PAGE = 4096;
    private static final int LOG_BYTES = 16;

    private final DirtyPageLog log = new DirtyPageLog();

    @AfterEach
    void close() {
        log.close();
    }

    private static MemoryMapping mapping(int bytes) throws IOException {
        return MemoryMapping.adopt(SealedMemfd.create("log", 8192), 0, bytes).open();
    }

    private MemoryMapping startLogging(int bytes) throws IOException {
        MemoryMapping mapping = mapping(bytes);
        log.setBitmap(mapping);
        return mapping;
    }

    /** Returns the numbers of the marked pages, which vhost-user marks by {@code log[page / 8] |= 1 << page % 8}. */
    private static List<Long> markedPages(MemoryMapping mapping) {
        List<Long> pages = new ArrayList<>();
        for (long page = 0; page < 8 * mapping.pages().byteSize(); page++) {
            if ((mapping.pages().get(ValueLayout.JAVA_BYTE, page / 8) >> page % 8 & 1) != 0) {
                pages.add(page);
            }
        }
        return pages;
    }

    private boolean isSignalled(EventFd listener) throws ErrnoException {
        try (Epoll epoll = Epoll.open(1)) {
            epoll.add(listener.fd(), Epoll.EPOLLIN, 0);
            boolean signalled = epoll.await(0) > 0;
            listener.drain();
            return signalled;
        }
    }

    // --- pages -----------------------------------------------------------------------------------------------------

    @ParameterizedTest
    @CsvSource({
        "0, 1, 0, 0",
        "4095, 1, 0, 0",
        "4096, 1, 1, 1",
        "4095, 2, 0, 1",
        "4096, 4096, 1, 1",
        "4096, 4097, 1, 2",
        "0, 40960, 0, 9",
        "28672, 8192, 7, 8",
        "126976, 8192, 31, 32",
        "520192, 4096, 127, 127"
    })
    void marksThePagesOfARange(long address, long length, long firstPage, long lastPage) throws IOException {
        MemoryMapping bitmap = startLogging(LOG_BYTES);

        log.markRange(address, length);

        List<Long> expected = new ArrayList<>();
        for (long page = firstPage; page <= lastPage; page++) {
            expected.add(page);
        }
        assertEquals(expected, markedPages(bitmap));
    }

    @Test
    void keepsEarlierMarks() throws IOException {
        MemoryMapping bitmap = startLogging(LOG_BYTES);
        log.markRange(3 * PAGE, 1);

        log.markRange(5 * PAGE, 1);
        log.markRange(5 * PAGE, 1);

        assertEquals(List.of(3L, 5L), markedPages(bitmap));
    }

    @Test
    void marksNothingForAnEmptyRange() throws IOException {
        MemoryMapping bitmap = startLogging(LOG_BYTES);

        log.markRange(PAGE, 0);

        assertEquals(List.of(), markedPages(bitmap));
    }

    @Test
    void ignoresPagesBeyondTheEndOfTheLog() throws IOException {
        MemoryMapping bitmap = startLogging(LOG_BYTES);

        log.markRange((8 * LOG_BYTES - 1) * PAGE, 2 * PAGE);

        assertEquals(List.of(8L * LOG_BYTES - 1), markedPages(bitmap));
    }

    @Test
    void logMayEndWithinAWord() throws IOException {
        MemoryMapping bitmap = startLogging(5);

        log.markRange(0, 64 * PAGE);

        assertEquals(40, markedPages(bitmap).size());
    }

    @Test
    void ignoresTheLastPageOfTheAddressSpace() throws IOException {
        MemoryMapping bitmap = startLogging(LOG_BYTES);

        log.markRange(-PAGE, PAGE);

        assertEquals(List.of(), markedPages(bitmap));
    }

    // --- start and end ---------------------------------------------------------------------------------------------

    @Test
    void ignoresWritesWhileOff() throws IOException {
        log.markRange(0, PAGE);

        assertEquals(List.of(), markedPages(startLogging(LOG_BYTES)));
    }

    @Test
    void hasTheSizeOfItsBitmapWhileOn() throws IOException {
        long before = log.size();
        startLogging(LOG_BYTES);
        long during = log.size();
        log.close();

        assertEquals(0, before);
        assertEquals(LOG_BYTES, during);
        assertEquals(0, log.size());
    }

    @Test
    void unmapsTheBitmapThatItReplaces() throws IOException {
        MemoryMapping first = startLogging(LOG_BYTES);

        MemoryMapping second = startLogging(LOG_BYTES);

        assertFalse(first.segment().scope().isAlive());
        assertTrue(second.segment().scope().isAlive());
    }

    @Test
    void unmapsTheBitmapWhenClosed() throws IOException {
        MemoryMapping bitmap = startLogging(LOG_BYTES);

        log.close();
        log.close();

        assertFalse(bitmap.segment().scope().isAlive());
    }

    // --- listener --------------------------------------------------------------------------------------------------

    @Test
    void signalsItsListenerAfterAWrite() throws IOException {
        EventFd listener = EventFd.create();
        startLogging(LOG_BYTES);
        log.setListener(listener);
        boolean before = isSignalled(listener);

        log.markRange(0, 1);

        assertFalse(before);
        assertTrue(isSignalled(listener));
    }

    @Test
    void doesNotSignalItsListenerForAnEmptyRange() throws IOException {
        EventFd listener = EventFd.create();
        startLogging(LOG_BYTES);
        log.setListener(listener);

        log.markRange(0, 0);

        assertFalse(isSignalled(listener));
    }

    @Test
    void closesTheListenerThatItReplaces() throws IOException {
        EventFd first = EventFd.create();
        EventFd second = EventFd.create();
        log.setListener(first);

        log.setListener(second);

        assertThrows(IllegalStateException.class, () -> first.fd().number());
        assertFalse(isSignalled(second));
    }

    @Test
    void closesItsListenerWhenClosed() throws IOException {
        EventFd listener = EventFd.create();
        log.setListener(listener);

        log.close();

        assertThrows(IllegalStateException.class, () -> listener.fd().number());
    }
}
