package org.vhostuserrng.it;

import java.io.IOException;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.vhostuserrng.frontend.BackendRequestReceiver;
import org.vhostuserrng.frontend.FrontendEventFd;
import org.vhostuserrng.frontend.FrontendMemoryRegion;
import org.vhostuserrng.frontend.FrontendStatePipe;
import org.vhostuserrng.frontend.UnsuitableFileDescriptor;

/** A file descriptor of each kind, to be sent as often as one likes. */
final class MessageFds implements AutoCloseable {
    private final FrontendEventFd eventFd = new FrontendEventFd();
    private final FrontendMemoryRegion memory = MemRegionPayloads.first();
    private final BackendRequestReceiver socket = new BackendRequestReceiver();
    private final FrontendStatePipe pipe = new FrontendStatePipe();
    private final UnsuitableFileDescriptor directory = UnsuitableFileDescriptor.directory(Path.of("/"));
    private final UnsuitableFileDescriptor location = UnsuitableFileDescriptor.oPath(Path.of("/dev/zero"));
    private final Map<MessageFdKind, Integer> numbers = new EnumMap<>(Map.of(
            MessageFdKind.EVENTFD, eventFd.fd(),
            MessageFdKind.MEMORY, memory.fd(),
            MessageFdKind.SOCKET, socket.backendFd(),
            MessageFdKind.PIPE, pipe.writeEnd(),
            MessageFdKind.DIRECTORY, directory.fd(),
            MessageFdKind.LOCATION, location.fd()));

    MessageFds() throws IOException {}

    int[] numbers(List<MessageFdKind> kinds) {
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
