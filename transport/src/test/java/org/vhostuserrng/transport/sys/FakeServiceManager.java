package org.vhostuserrng.transport.sys;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import org.vhostuserrng.libc.ErrnoException;
import org.vhostuserrng.libc.Libc;
import org.vhostuserrng.libc.OwnedFd;

/** A service manager with a file descriptor store, without a process of its own: a test makes it receive. */
public final class FakeServiceManager implements AutoCloseable {
    private static final MemorySegment BIND = Libc.symbol("bind");
    private static final MemorySegment RECVMSG = Libc.symbol("recvmsg");
    private static final MemorySegment DUP = Libc.symbol("dup");
    private static final int SOCK_DGRAM = 2;
    private static final int MSG_DONTWAIT = 0x40;

    private final String address;
    private final OwnedFd socket;
    private final Arena arena = Arena.ofConfined();
    private final MemorySegment datagram = arena.allocate(4096);
    private final Map<String, OwnedFd> store = new LinkedHashMap<>();
    private boolean ended;

    /**
     * Starts to receive notifications.
     *
     * @param address {@code @} and an abstract name
     */
    public FakeServiceManager(String address) throws ErrnoException {
        this.address = address;
        this.socket = UnixListeningSocket.newSocket(SOCK_DGRAM, null);
        MemorySegment name = UnixSocketAddress.of(address, arena);
        int result = Libc.callInt(BIND, socket.number(), name.address(), name.byteSize(), 0, 0);
        ErrnoException.check("bind", result);
    }

    /** The environment variables of the service. */
    public Map<String, String> environment() {
        return Map.of("NOTIFY_SOCKET", address);
    }

    /** Receives all notifications that have arrived, and returns the descriptors in the store by name. */
    public Map<String, OwnedFd> store() {
        while (!ended && receive()) {
            Thread.onSpinWait();
        }
        return store;
    }

    private boolean receive() {
        SocketMessageHeader message = SocketMessageHeader.toReceive(datagram);
        long bytes = Libc.callLong(RECVMSG, socket.number(), message.address(), MSG_DONTWAIT, 0, 0, 0);
        if (bytes < 0) {
            return false;
        }
        byte[] text = datagram.asSlice(0, bytes).toArray(ValueLayout.JAVA_BYTE);
        String state = new String(text, StandardCharsets.UTF_8);
        String name = state.substring(state.indexOf("FDNAME=") + "FDNAME=".length());
        if (message.descriptors() == 1) {
            store.put(name, new OwnedFd(message.descriptor(0)));
        } else {
            store.remove(name).close();
        }
        return true;
    }

    /** Returns the number of a duplicate of a descriptor, which the caller owns. */
    public static int duplicate(OwnedFd fd) {
        return Libc.callInt(DUP, fd.number(), 0, 0, 0, 0);
    }

    /** Ends: closes its socket and all descriptors in the store. Idempotent. */
    @Override
    public void close() {
        if (!ended) {
            ended = true;
            socket.close();
            store.values().forEach(OwnedFd::close);
            store.clear();
            arena.close();
        }
    }
}
