package org.vhostuserrng.frontend;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * The client's end of a vfio-user connection. Sends messages with file descriptors, without checking them, so that
 * tests can send malformed ones; checks the headers of replies. While it waits for a reply, it executes the commands by
 * which the server accesses memory that was mapped without a descriptor.
 */
public final class VfioUserClient implements AutoCloseable {
    // Commands of the document.
    public static final int VERSION = 1;
    public static final int DMA_MAP = 2;
    public static final int DMA_UNMAP = 3;
    public static final int DEVICE_GET_INFO = 4;
    public static final int DEVICE_GET_REGION_INFO = 5;
    public static final int DEVICE_GET_REGION_IO_FDS = 6;
    public static final int DEVICE_GET_IRQ_INFO = 7;
    public static final int DEVICE_SET_IRQS = 8;
    public static final int REGION_READ = 9;
    public static final int REGION_WRITE = 10;
    public static final int DMA_READ = 11;
    public static final int DMA_WRITE = 12;
    public static final int DEVICE_RESET = 13;
    public static final int REGION_WRITE_MULTI = 15;

    // Flags of a command.
    public static final int COMMAND = 0;
    public static final int NO_REPLY = 0x10;

    // linux/vfio.h
    public static final int INTX_IRQ = 0;
    public static final int MSIX_IRQ = 2;
    public static final int CONFIG_REGION = 7;
    public static final int DATA_NONE = 1;
    public static final int DATA_BOOL = 2;
    public static final int DATA_EVENTFD = 4;
    public static final int ACTION_MASK = 8;
    public static final int ACTION_UNMASK = 0x10;
    public static final int ACTION_TRIGGER = 0x20;

    static final int DMA_ACCESS_SIZE = 16;
    private static final int EFAULT = 14;
    private static final int HEADER_SIZE = 16;
    private static final int FLAGS = 8;
    private static final int REPLY = 1;
    private static final int ERROR = 0x20;
    private static final int TYPE_MASK = 0xf;
    private static final int MAX_REPLY_SIZE = 1 << 21;
    private static final int READABLE_WRITEABLE = 3;
    private static final int U16_MASK = 0xffff;

    private final FrontendSocket socket;
    private final Duration timeout;
    private final List<FrontendMemoryRegion> withoutDescriptor = new ArrayList<>();
    private int nextId;

    private VfioUserClient(FrontendSocket socket, Duration timeout) {
        this.socket = socket;
        this.timeout = timeout;
    }

    /**
     * Connects to a server, without sending anything.
     *
     * @param timeout time to wait for each reply
     * @throws IOException if no process listens there
     */
    public static VfioUserClient connect(Path path, Duration timeout) throws IOException {
        return new VfioUserClient(FrontendSocket.connect(path), timeout);
    }

    /** The socket, to send bytes that are no messages. This object closes it. */
    public FrontendSocket socket() {
        return socket;
    }

    // --- messages --------------------------------------------------------------------------------------------------

    /** A buffer for a payload, in native byte order. */
    public static ByteBuffer payload(int size) {
        return ByteBuffer.allocate(size).order(ByteOrder.nativeOrder());
    }

    /** A whole message, whose size field is true. */
    public static byte[] message(int id, int command, int flags, byte[] payload) {
        return payload(HEADER_SIZE + payload.length)
                .putShort((short) id)
                .putShort((short) command)
                .putInt(HEADER_SIZE + payload.length)
                .putInt(flags)
                .putInt(0)
                .put(payload)
                .array();
    }

    /** Sends a command without waiting for a reply. Returns its message id. */
    public int send(int command, int flags, byte[] payload, int... fds) throws IOException {
        int id = nextId++ & U16_MASK;
        socket.sendRaw(message(id, command, flags, payload), fds);
        return id;
    }

    /**
     * Receives a reply.
     *
     * @param command the expected command, for messages
     * @throws BackendProtocolException if the server disconnects, does not reply in time or sends an invalid reply
     */
    public VfioUserReply receive(int command) throws IOException {
        ByteBuffer header = receiveHeader(command);
        while ((header.getInt(FLAGS) & TYPE_MASK) == COMMAND) {
            execute(receiveDmaPayload(header));
            header = receiveHeader(command);
        }
        int id = header.getShort() & U16_MASK;
        int answered = header.getShort() & U16_MASK;
        int size = header.getInt();
        int flags = header.getInt();
        int errno = header.getInt();
        boolean error = (flags & ERROR) != 0;
        if ((flags & TYPE_MASK) != REPLY
                || size < HEADER_SIZE
                || size > MAX_REPLY_SIZE
                || (error && size != HEADER_SIZE)
                || answered != command) {
            throw new BackendProtocolException(
                    BackendProtocolException.Reason.INVALID_REPLY,
                    "invalid reply to command " + command + ": command=" + answered + " flags=0x"
                            + Integer.toHexString(flags) + " size=" + size);
        }
        return new VfioUserReply(id, answered, error, errno, socket.receiveBytes(size - HEADER_SIZE, command, timeout));
    }

    private ByteBuffer receiveHeader(int command) throws IOException {
        return ByteBuffer.wrap(socket.receiveBytes(HEADER_SIZE, command, timeout))
                .order(ByteOrder.nativeOrder());
    }

    /** Sends a command and receives its reply. */
    public VfioUserReply command(int command, byte[] payload, int... fds) throws IOException {
        int id = send(command, COMMAND, payload, fds);
        VfioUserReply reply = receive(command);
        if (reply.messageId() != id) {
            throw new BackendProtocolException(
                    BackendProtocolException.Reason.INVALID_REPLY,
                    "reply to message " + reply.messageId() + " instead of " + id);
        }
        return reply;
    }

    /** Like {@link #command}, and requires that the command succeeds. */
    public VfioUserReply require(int command, byte[] payload, int... fds) throws IOException {
        VfioUserReply reply = command(command, payload, fds);
        if (reply.isError()) {
            throw new BackendProtocolException(
                    BackendProtocolException.Reason.INVALID_REPLY,
                    "command " + command + " failed with errno " + reply.errno());
        }
        return reply;
    }

    // --- commands of the server ------------------------------------------------------------------------------------

    /**
     * Receives a command of the server without executing it.
     *
     * @throws BackendProtocolException if the server disconnects, sends none in time, or sends another message
     */
    public VfioUserDmaCommand receiveDmaCommand() throws IOException {
        return receiveDmaPayload(receiveHeader(DMA_READ));
    }

    private VfioUserDmaCommand receiveDmaPayload(ByteBuffer header) throws IOException {
        int command = header.getShort(2) & U16_MASK;
        int size = header.getInt(4) - HEADER_SIZE;
        if (header.getInt(FLAGS) != COMMAND
                || (command != DMA_READ && command != DMA_WRITE)
                || size < DMA_ACCESS_SIZE
                || size > MAX_REPLY_SIZE) {
            throw new BackendProtocolException(
                    BackendProtocolException.Reason.INVALID_REPLY,
                    "not a DMA command: command=" + command + " size=" + size);
        }
        return new VfioUserDmaCommand(
                header.getShort(0) & U16_MASK, command, socket.receiveBytes(size, command, timeout));
    }

    /** Executes a command as QEMU does: in memory that was mapped without a descriptor, otherwise it fails. */
    public void execute(VfioUserDmaCommand command) throws IOException {
        MemorySegment memory = memory(command.address(), command.count());
        if (memory == null) {
            reply(command, EFAULT, new byte[0]);
        } else if (command.isWrite()) {
            MemorySegment.copy(MemorySegment.ofArray(command.data()), 0, memory, 0, command.count());
            reply(command, 0, new byte[0]);
        } else {
            byte[] data = memory.toArray(ValueLayout.JAVA_BYTE);
            reply(command, 0, dmaReply(command.address(), command.count(), data));
        }
    }

    private MemorySegment memory(long address, long count) {
        for (FrontendMemoryRegion region : withoutDescriptor) {
            if (region.contains(address, count)) {
                return region.segment().asSlice(address - region.guestAddress(), count);
            }
        }
        return null;
    }

    /** Executes the next command if the server sends one in time. */
    void executeNext(Duration limit) throws IOException {
        if (socket.awaitReadable(limit)) {
            execute(receiveDmaCommand());
        }
    }

    /** The payload of the reply to DMA_READ. */
    public static byte[] dmaReply(long address, long count, byte[] data) {
        return payload(DMA_ACCESS_SIZE + data.length)
                .putLong(address)
                .putLong(count)
                .put(data)
                .array();
    }

    /** Replies to a command of the server. */
    public void reply(VfioUserDmaCommand command, int errno, byte[] payload) throws IOException {
        byte[] message = message(command.messageId(), command.command(), errno == 0 ? REPLY : REPLY | ERROR, payload);
        ByteBuffer.wrap(message).order(ByteOrder.nativeOrder()).putInt(HEADER_SIZE - Integer.BYTES, errno);
        socket.sendRaw(message);
    }

    /** Waits until the server closes the connection; false if that does not happen in time. */
    public boolean awaitClosed(Duration limit) throws IOException {
        return socket.awaitClosed(limit);
    }

    // --- commands --------------------------------------------------------------------------------------------------

    /** The payload of VERSION. */
    public static byte[] version(int major, int minor, String data) {
        byte[] bytes = data.getBytes(StandardCharsets.UTF_8);
        return payload(4 + bytes.length)
                .putShort((short) major)
                .putShort((short) minor)
                .put(bytes)
                .array();
    }

    /** Negotiates version 0.0 with QEMU's capabilities. Returns the version data of the reply. */
    public String negotiate() throws IOException {
        VfioUserReply reply = require(
                VERSION,
                version(
                        0,
                        0,
                        "{\"capabilities\": {\"max_msg_fds\": 16, \"pgsizes\": 4096, \"write_multiple\": true}}\0"));
        byte[] payload = reply.payload();
        return new String(payload, 4, payload.length - 5, StandardCharsets.UTF_8);
    }

    /** The payload of DMA_MAP. */
    public static byte[] dmaMap(int flags, long offset, long address, long size) {
        return payload(32)
                .putInt(32)
                .putInt(flags)
                .putLong(offset)
                .putLong(address)
                .putLong(size)
                .array();
    }

    /** Maps a region readable and writeable. */
    public void map(FrontendMemoryRegion region) throws IOException {
        byte[] payload = dmaMap(READABLE_WRITEABLE, region.mmapOffset(), region.guestAddress(), region.size());
        require(DMA_MAP, payload, region.fd());
    }

    /** Maps a region readable and writeable, without a descriptor, so that the server accesses it by commands. */
    public void mapWithoutDescriptor(FrontendMemoryRegion region) throws IOException {
        withoutDescriptor.add(region);
        require(DMA_MAP, dmaMap(READABLE_WRITEABLE, 0, region.guestAddress(), region.size()));
    }

    /** The payload of DMA_UNMAP. */
    public static byte[] dmaUnmap(long address, long size) {
        return payload(24).putInt(24).putInt(0).putLong(address).putLong(size).array();
    }

    /** Unmaps a region. */
    public void unmap(FrontendMemoryRegion region) throws IOException {
        require(DMA_UNMAP, dmaUnmap(region.guestAddress(), region.size()));
        withoutDescriptor.remove(region);
    }

    /** The payload of REGION_READ. */
    public static byte[] regionRead(int region, long offset, int count) {
        return payload(16).putLong(offset).putInt(region).putInt(count).array();
    }

    /** The payload of REGION_WRITE. */
    public static byte[] regionWrite(int region, long offset, byte[] data) {
        return payload(16 + data.length)
                .putLong(offset)
                .putInt(region)
                .putInt(data.length)
                .put(data)
                .array();
    }

    /** Reads a little-endian register of 1, 2, 4 or 8 bytes. */
    public long read(int region, long offset, int size) throws IOException {
        byte[] reply = require(REGION_READ, regionRead(region, offset, size)).payload();
        long value = 0;
        for (int i = 0; i < size; i++) {
            value |= (reply[16 + i] & 0xffL) << (8 * i);
        }
        return value;
    }

    private static byte[] littleEndian(long value, int size) {
        byte[] bytes = new byte[size];
        for (int i = 0; i < size; i++) {
            bytes[i] = (byte) (value >>> (8 * i));
        }
        return bytes;
    }

    /** Writes a little-endian register of 1, 2, 4 or 8 bytes, and waits for the reply. */
    public void write(int region, long offset, long value, int size) throws IOException {
        require(REGION_WRITE, regionWrite(region, offset, littleEndian(value, size)));
    }

    /** Writes a little-endian register with a message that expects no reply, as QEMU does for memory BARs. */
    public void post(int region, long offset, long value, int size) throws IOException {
        send(REGION_WRITE, NO_REPLY, regionWrite(region, offset, littleEndian(value, size)));
    }

    /** Prepares a write like {@link #post} that is sent repeatedly. */
    VfioUserPostedWrite postedWrite(int region, long offset, long value, int size) {
        byte[] payload = regionWrite(region, offset, littleEndian(value, size));
        return new VfioUserPostedWrite(socket, message(nextId++ & U16_MASK, REGION_WRITE, NO_REPLY, payload));
    }

    /** The payload of DEVICE_SET_IRQS. */
    public static byte[] irqSet(int flags, int index, int start, int count, byte... data) {
        return payload(20 + data.length)
                .putInt(20 + data.length)
                .putInt(flags)
                .putInt(index)
                .putInt(start)
                .putInt(count)
                .put(data)
                .array();
    }

    /** Assigns eventfds to all interrupts of an index, from the first on. */
    public void setEventfds(int index, FrontendEventFd... eventfds) throws IOException {
        int[] fds = new int[eventfds.length];
        for (int i = 0; i < fds.length; i++) {
            fds[i] = eventfds[i].fd();
        }
        require(DEVICE_SET_IRQS, irqSet(DATA_EVENTFD | ACTION_TRIGGER, index, 0, fds.length), fds);
    }

    /** Disables all interrupts of an index. */
    public void disableIrqs(int index) throws IOException {
        require(DEVICE_SET_IRQS, irqSet(DATA_NONE | ACTION_TRIGGER, index, 0, 0));
    }

    /** Unmasks the first interrupt of an index. */
    public void unmask(int index) throws IOException {
        require(DEVICE_SET_IRQS, irqSet(DATA_NONE | ACTION_UNMASK, index, 0, 1));
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
