package org.vhostuserrng.frontend;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class FrontendEpollTest {
    private static final int LONG_ENOUGH_MILLIS = 5000;

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
    void nothingWasSignalled() throws IOException {
        assertEquals(0, epoll.await(0));
    }

    @Test
    void tokenNamesTheEventFdThatWasSignalled() throws IOException {
        second.signal();

        assertEquals(1, epoll.await(LONG_ENOUGH_MILLIS));
        assertEquals(8, epoll.token(0));
    }

    @Test
    void signalIsReportedOnceThoughItIsNotTaken() throws IOException {
        first.signal();
        epoll.await(LONG_ENOUGH_MILLIS);

        assertEquals(0, epoll.await(0));
    }

    @Test
    void furtherSignalIsReportedThoughTheFirstWasNotTaken() throws IOException {
        first.signal();
        epoll.await(LONG_ENOUGH_MILLIS);
        first.signal();

        assertEquals(1, epoll.await(LONG_ENOUGH_MILLIS));
        assertEquals(2, first.read());
    }

    @Test
    void severalAreReportedTogether() throws IOException {
        first.signal();
        second.signal();

        assertEquals(2, epoll.await(LONG_ENOUGH_MILLIS));
        assertEquals(7 + 8, epoll.token(0) + epoll.token(1));
    }
}
