package org.vhostuserrng.frontend;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class FrontendEpollTest {
    private static final int HANG_TIMEOUT_MILLIS = 60_000;

    private FrontendEpoll epoll;
    private FrontendEventFd first;
    private FrontendEventFd second;

    @BeforeEach
    void open() throws IOException {
        epoll = new FrontendEpoll(4);
        first = new FrontendEventFd();
        second = new FrontendEventFd();
        epoll.add(first, 7);
        epoll.add(second, 8);
    }

    @AfterEach
    void close() {
        epoll.close();
        first.close();
        second.close();
    }

    @Test
    void awaitReturnsZeroWithoutASignal() throws IOException {
        assertEquals(0, epoll.await(0));
    }

    @Test
    void tokenIdentifiesTheSignalledEventFd() throws IOException {
        second.signal();

        assertEquals(1, epoll.await(HANG_TIMEOUT_MILLIS));
        assertEquals(8, epoll.token(0));
    }

    @Test
    void unreadSignalIsReportedOnce() throws IOException {
        first.signal();
        epoll.await(HANG_TIMEOUT_MILLIS);

        assertEquals(0, epoll.await(0));
    }

    @Test
    void secondSignalIsReportedIfTheFirstWasNotRead() throws IOException {
        first.signal();
        epoll.await(HANG_TIMEOUT_MILLIS);
        first.signal();

        assertEquals(1, epoll.await(HANG_TIMEOUT_MILLIS));
        assertEquals(2, first.read());
    }

    @Test
    void severalEventFdsAreReportedTogether() throws IOException {
        first.signal();
        second.signal();

        assertEquals(2, epoll.await(HANG_TIMEOUT_MILLIS));
        assertEquals(7 + 8, epoll.token(0) + epoll.token(1));
    }
}
