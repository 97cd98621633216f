package org.vhostuserrng.transport.vfiouser.session;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Queue;
import org.vhostuserrng.libc.Libc;
import org.vhostuserrng.libc.OwnedFd;
import org.vhostuserrng.transport.loop.FakeEventScheduler;
import org.vhostuserrng.transport.pci.FakePciFunction;
import org.vhostuserrng.transport.session.RateLimitedGuestLog;
import org.vhostuserrng.transport.sys.EventFd;
import org.vhostuserrng.transport.sys.PeerFileExecutor;
import org.vhostuserrng.transport.sys.SealedMemfd;
import org.vhostuserrng.transport.sys.UnixListeningSocket;
import org.vhostuserrng.transport.sys.UnixStreamSocket;
import org.vhostuserrng.transport.vhostuser.VhostUserOptions;
import org.vhostuserrng.transport.virtio.FakeVirtioDevice;

/** A client on a real socket, and its session, which the test dispatches on a fake loop with a fake function. */
final class SteppedVfioUserClient implements AutoCloseable {
    static final int VERSION = 1;
    static final int DMA_MAP = 2;
    static final int DMA_UNMAP = 3;
    static final int GET_INFO = 4;
    static final int GET_REGION_INFO = 5;
    static final int GET_REGION_IO_FDS = 6;
    static final int GET_IRQ_INFO = 7;
    static final int SET_IRQS = 8;
    static final int REGION_READ = 9;
    static final int REGION_WRITE = 10;
    static final int DMA_READ = 11;
    static final int DMA_WRITE = 12;
    static final int RESET = 13;
    static final int WRITE_MULTI = 15;
    static final int NO_REPLY = 0x10;
    static final int READ_WRITE = 3;
    static final int EVENTFD_TRIGGER = 0x24;
    private static final MemorySegment READ = Libc.symbol("read");

    /** A message of the server. */
    @SuppressWarnings("ArrayRecordComponent")
    private record Message(int id, int command, int flags, int errno, byte[] payload) {}

    /** A reply. */
    static final class Reply {
        private final int id;
        private final int errno;
        private final byte[] payload;

        private Reply(int id, int errno, byte[] payload) {
            this.id = id;
            this.errno = errno;
            this.payload = payload;
        }

        int id() {
            return id;
        }

        /** The error; 0 for none. */
        int errno() {
            return errno;
        }

        byte[] payload() {
            return payload.clone();
        }

        ByteBuffer data() {
            return ByteBuffer.wrap(payload).order(ByteOrder.nativeOrder());
        }
    }

    /** A command of the server. */
    static final class DmaCommand {
        private final int id;
        private final int command;
        private final byte[] payload;

        private DmaCommand(int id, int command, byte[] payload) {
            this.id = id;
            this.command = command;
            this.payload = payload;
        }

        int id() {
            return id;
        }

        int command() {
            return command;
        }

        boolean isWrite() {
            return command == DMA_WRITE;
        }

        private ByteBuffer fields() {
            return ByteBuffer.wrap(payload).order(ByteOrder.nativeOrder());
        }

        long address() {
            return fields().getLong(0);
        }

        int count() {
            return (int) fields().getLong(8);
        }

        /** The bytes of a write. */
        byte[] data() {
            return Arrays.copyOfRange(payload, 16, payload.length);
        }

        @Override
        public String toString() {
            return (isWrite() ? "write " : "read ") + Long.toHexString(address()) + "+" + count();
        }
    }

    final FakeEventScheduler loop = new FakeEventScheduler();
    final FakeVirtioDevice device = new FakeVirtioDevice();
    final Queue<Runnable> peerFileThread = new ArrayDeque<>();
    final UnixStreamSocket socket;
    final VfioUserSession session;
    FakePciFunction function;
    int closedCount;
    private final UnixListeningSocket listener;
    private int nextId;
    private boolean connected = true;

    SteppedVfioUserClient(Path directory) throws IOException {
        this(directory, VhostUserOptions.DEFAULT);
    }

    SteppedVfioUserClient(Path directory, VhostUserOptions options) throws IOException {
        listener = UnixListeningSocket.bind(directory.resolve("vfio-user"));
        socket = UnixStreamSocket.connect(directory.resolve("vfio-user"), new PeerFileExecutor(Runnable::run));
        PeerFileExecutor peerFiles = new PeerFileExecutor(peerFileThread::add);
        VfioUserGuest guest = new VfioUserGuest(
                loop,
                device,
                (fakeDevice, host) -> {
                    function = new FakePciFunction(fakeDevice, host);
                    return function;
                },
                options,
                new RateLimitedGuestLog("test", () -> 0),
                peerFiles);
        session = VfioUserSession.open(guest, listener.accept(peerFiles), () -> closedCount++);
    }

    /** Dispatches the session and what it has scheduled, and runs the calls on the client's files. */
    void dispatch() {
        loop.fire(session);
        while (!loop.rescheduled.isEmpty() || !peerFileThread.isEmpty()) {
            runPeerFiles();
            loop.runRescheduled();
        }
    }

    void runPeerFiles() {
        while (!peerFileThread.isEmpty()) {
            peerFileThread.remove().run();
        }
    }

    static ByteBuffer buffer(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.nativeOrder());
    }

    static byte[] u32(int... values) {
        byte[] bytes = new byte[Integer.BYTES * values.length];
        ByteBuffer out = ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
        for (int value : values) {
            out.putInt(value);
        }
        return bytes;
    }

    /** A message as bytes. */
    static byte[] message(int id, int command, int flags, byte[] payload) {
        return buffer(16 + payload.length)
                .putShort((short) id)
                .putShort((short) command)
                .putInt(16 + payload.length)
                .putInt(flags)
                .putInt(0)
                .put(payload)
                .array();
    }

    /** Sends bytes and, with the first one, a descriptor, which the caller closes; null for none. */
    void sendBytes(byte[] bytes, OwnedFd fd) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment segment = arena.allocate(Math.max(1, bytes.length));
            MemorySegment.copy(bytes, 0, segment, ValueLayout.JAVA_BYTE, 0, bytes.length);
            long sent = fd == null ? 0 : socket.send(segment.asSlice(0, bytes.length), fd);
            while (sent < bytes.length) {
                int more = socket.send(segment.asSlice(sent, bytes.length - sent));
                if (more <= 0) {
                    throw new IllegalStateException("cannot send: " + more);
                }
                sent += more;
            }
        }
    }

    /** Sends a command without dispatching the session. */
    void send(int command, int flags, byte[] payload, OwnedFd fd) {
        sendBytes(message(nextId++, command, flags, payload), fd);
    }

    /** Sends a command, dispatches the session, and receives the reply; null if there is none. */
    Reply command(int command, byte[] payload) {
        return command(command, payload, null);
    }

    /** Like {@link #command(int, byte[])}, with a descriptor, which is closed. */
    Reply command(int command, byte[] payload, OwnedFd fd) {
        send(command, 0, payload, fd);
        if (fd != null) {
            fd.close();
        }
        dispatch();
        return receive();
    }

    /** Sends a command that expects no reply, and dispatches the session. */
    void post(int command, byte[] payload) {
        send(command, NO_REPLY, payload, null);
        dispatch();
    }

    /** Receives a reply; null if there is none. */
    Reply receive() {
        Message message = receiveMessage();
        if (message == null) {
            return null;
        }
        if ((message.flags() & 0xf) != 1) {
            throw new IllegalStateException("not a reply");
        }
        boolean error = (message.flags() & 0x20) != 0;
        if (error != (message.errno() != 0)) {
            throw new IllegalStateException("error bit and errno contradict");
        }
        return new Reply(message.id(), message.errno(), message.payload());
    }

    /** Receives a command of the server; null if there is none. */
    DmaCommand receiveCommand() {
        Message message = receiveMessage();
        if (message == null) {
            return null;
        }
        if (message.flags() != 0) {
            throw new IllegalStateException("not a command");
        }
        return new DmaCommand(message.id(), message.command(), message.payload());
    }

    /** Receives a message; null if there is none. */
    private Message receiveMessage() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment header = arena.allocate(16);
            int received = socket.receive(header, new ArrayList<>());
            if (received <= 0) {
                return null;
            }
            if (received != 16) {
                throw new IllegalStateException("not a header");
            }
            ByteBuffer fields = header.asByteBuffer().order(ByteOrder.nativeOrder());
            int size = fields.getInt(4) - 16;
            MemorySegment payload = arena.allocate(Math.max(1, size));
            int rest = size == 0 ? 0 : socket.receive(payload.asSlice(0, size), new ArrayList<>());
            if (rest != size) {
                throw new IllegalStateException("message is not in one piece");
            }
            byte[] bytes = payload.asSlice(0, size).toArray(ValueLayout.JAVA_BYTE);
            return new Message(
                    fields.getShort(0) & 0xffff, fields.getShort(2), fields.getInt(8), fields.getInt(12), bytes);
        }
    }

    /** Sends a reply to a command of the server, and dispatches the session. */
    void reply(int id, int command, int errno, byte[] payload) {
        byte[] bytes = message(id, command, errno == 0 ? 1 : 0x21, payload);
        ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder()).putInt(12, errno);
        sendBytes(bytes, null);
        dispatch();
    }

    /** Whether the server has closed the connection and all replies are read. */
    boolean isEnded() {
        try (Arena arena = Arena.ofConfined()) {
            return socket.receive(arena.allocate(1), new ArrayList<>()) == 0;
        }
    }

    static byte[] version(int major, int minor, String json) {
        byte[] data = json.getBytes(StandardCharsets.UTF_8);
        return buffer(4 + data.length)
                .putShort((short) major)
                .putShort((short) minor)
                .put(data)
                .array();
    }

    /** Negotiates the version. */
    SteppedVfioUserClient negotiate() {
        Reply reply = command(VERSION, version(0, 0, "{\"capabilities\":{\"write_multiple\":true}}\0"));
        if (reply == null || reply.errno() != 0) {
            throw new IllegalStateException("VERSION failed");
        }
        return this;
    }

    static byte[] map(int flags, long offset, long address, long size) {
        return buffer(32)
                .putInt(32)
                .putInt(flags)
                .putLong(offset)
                .putLong(address)
                .putLong(size)
                .array();
    }

    static byte[] unmap(long address, long size) {
        return buffer(24).putInt(24).putInt(0).putLong(address).putLong(size).array();
    }

    /** Maps a new memfd. */
    Reply mapMemory(long address, long size) throws IOException {
        return command(DMA_MAP, map(READ_WRITE, 0, address, size), SealedMemfd.create("memory", size));
    }

    static byte[] read(int region, long offset, int count) {
        return buffer(16).putLong(offset).putInt(region).putInt(count).array();
    }

    static byte[] write(int region, long offset, byte... data) {
        return buffer(16 + data.length)
                .putLong(offset)
                .putInt(region)
                .putInt(data.length)
                .put(data)
                .array();
    }

    static byte[] irqs(int flags, int index, int start, int count, byte... data) {
        return buffer(20 + data.length)
                .putInt(20 + data.length)
                .putInt(flags)
                .putInt(index)
                .putInt(start)
                .putInt(count)
                .put(data)
                .array();
    }

    /** Sends VFIO_USER_DEVICE_SET_IRQS without a descriptor. Returns the error; 0 for none. */
    int setIrqs(int flags, int index, int start, int count, int... bools) {
        byte[] data = new byte[bools.length];
        for (int i = 0; i < data.length; i++) {
            data[i] = (byte) bools[i];
        }
        return command(SET_IRQS, irqs(flags, index, start, count, data)).errno();
    }

    /** Assigns an eventfd to a vector. Returns the test's own descriptor of it. */
    EventFd assign(int index, int vector) throws IOException {
        EventFd eventfd = EventFd.create();
        sendBytes(message(nextId++, SET_IRQS, 0, irqs(EVENTFD_TRIGGER, index, vector, 1)), eventfd.fd());
        dispatch();
        if (receive().errno() != 0) {
            throw new IllegalStateException("SET_IRQS failed");
        }
        return eventfd;
    }

    /** The number of signals of an eventfd since the last call. */
    static long signals(EventFd eventfd) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment counter = arena.allocate(ValueLayout.JAVA_LONG);
            long read = Libc.callLong(READ, eventfd.fd().number(), counter.address(), Long.BYTES, 0, 0, 0);
            return read == Long.BYTES ? counter.get(ValueLayout.JAVA_LONG, 0) : 0;
        }
    }

    /** Closes the connection. */
    void disconnect() {
        if (connected) {
            connected = false;
            socket.close();
        }
    }

    @Override
    public void close() {
        session.close();
        runPeerFiles();
        disconnect();
        listener.close();
    }
}
