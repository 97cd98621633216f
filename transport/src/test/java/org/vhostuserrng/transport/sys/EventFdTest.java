package org.vhostuserrng.transport.sys;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EventFdTest {
    @Test
    void isReadableAfterASignalUntilItIsDrained() throws HostFault {
        try (EventFd event = EventFd.create();
                Epoll epoll = Epoll.open(1)) {
            epoll.add(event.fd(), Epoll.EPOLLIN, 7);

            event.signal();
            int signalled = epoll.await(0);
            event.drain();
            int drained = epoll.await(0);

            assertEquals(1, signalled);
            assertEquals(0, drained);
        }
    }

    @Test
    void refusesAndClosesADescriptorThatIsNoEventfd(@TempDir Path directory) throws IOException {
        try (UnixListener listener = UnixListener.bind(directory.resolve("socket"))) {
            OwnedFd socket = listener.fd();

            assertThrows(IOException.class, () -> EventFd.adopt(socket));

            assertThrows(IllegalStateException.class, socket::number);
        }
    }
}
