package org.vhostuserrng.it;

import java.io.IOException;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.vhostuserrng.frontend.BackendRequests;
import org.vhostuserrng.frontend.EventFd;
import org.vhostuserrng.frontend.MemoryRegion;
import org.vhostuserrng.frontend.OpenFile;
import org.vhostuserrng.frontend.StatePipe;

/** A file descriptor of each kind, to be sent as often as one likes. */
final class Fds implements AutoCloseable {
    private final EventFd eventFd = new EventFd();
    private final MemoryRegion memory = Regions.first();
    private final BackendRequests socket = new BackendRequests();
    private final StatePipe pipe = new StatePipe();
    private final OpenFile directory = OpenFile.directory(Path.of("/"));
    private final OpenFile location = OpenFile.location(Path.of("/dev/zero"));
    private final Map<FdKind, Integer> numbers = new EnumMap<>(Map.of(
            FdKind.EVENTFD, eventFd.fd(),
            FdKind.MEMORY, memory.fd(),
            FdKind.SOCKET, socket.fd(),
            FdKind.PIPE, pipe.writeEnd(),
            FdKind.DIRECTORY, directory.fd(),
            FdKind.LOCATION, location.fd()));

    Fds() throws IOException {}

    int[] numbers(List<FdKind> kinds) {
        return kinds.stream().mapToInt(numbers::get).toArray();
    }

    @Override
    public void close() throws IOException {
        location.close();
        directory.close();
        pipe.close();
        memory.close();
        eventFd.close();
        socket.close();
    }
}
