package org.vhostuserrng.transport.vfiouser.session;

import static org.vhostuserrng.transport.vfiouser.protocol.VfioUserConstants.DMA_ACCESS_BYTES;
import static org.vhostuserrng.transport.vfiouser.protocol.VfioUserConstants.DMA_WRITE_REPLY_BYTES;
import static org.vhostuserrng.transport.vfiouser.protocol.VfioUserConstants.VFIO_USER_DMA_READ;
import static org.vhostuserrng.transport.vfiouser.protocol.VfioUserConstants.VFIO_USER_DMA_WRITE;

import java.lang.foreign.MemorySegment;
import java.util.function.BooleanSupplier;
import org.vhostuserrng.transport.loop.EventHandler;
import org.vhostuserrng.transport.loop.EventScheduler;
import org.vhostuserrng.transport.vfiouser.protocol.VfioUserMessageChannel;
import org.vhostuserrng.transport.vfiouser.protocol.VfioUserViolationException;

/**
 * The commands of the server: VFIO_USER_DMA_READ and VFIO_USER_DMA_WRITE. One is in flight at a time, so that the
 * client executes them in order. Meanwhile the commands of the client are served: QEMU answers under its big lock, and
 * may itself wait for a reply. Confined to the loop's thread.
 */
final class ServerDmaCommands extends EventHandler {
    /** Time after which the session of a client that has not replied ends. QEMU may hold its lock for seconds. */
    static final long MAX_UNANSWERED_NANOS = 30_000_000_000L;

    /** Interval of the checks after that time, while the session does not receive messages. */
    private static final long RETRY_NANOS = 1_000_000_000L;

    /** The maximum count of a command. */
    static final int MAX_COUNT = 32768;

    /** The smallest max_data_xfer_size of a client whose memory is accessed by commands. */
    static final int MIN_DATA_XFER_SIZE = 64;

    private static final long ADDRESS = 0;
    private static final long COUNT = 8;
    private static final long DATA = 16;
    private static final int U16_MASK = 0xffff;

    private final EventScheduler loop;
    private final VfioUserMessageChannel channel;
    private final EventHandler session;
    private final BooleanSupplier receiving;
    private final Runnable onExpired;
    private int maxCount = MAX_COUNT;

    // The command in flight.
    private boolean inFlight;
    /** What the command is a part of; null if the reply is ignored. */
    private DmaTransfer transfer;

    private int id;
    private int command;
    private long address;
    private int count;
    private long sentAt;
    private boolean scheduled;

    /**
     * Creates an object without a command in flight.
     *
     * @param session handles bugs of this handler
     * @param receiving whether the session receives messages at present
     * @param onExpired called when the client has not replied in time
     */
    ServerDmaCommands(
            EventScheduler loop,
            VfioUserMessageChannel channel,
            EventHandler session,
            BooleanSupplier receiving,
            Runnable onExpired) {
        this.loop = loop;
        this.channel = channel;
        this.session = session;
        this.receiving = receiving;
        this.onExpired = onExpired;
    }

    /** Sets the maximum count that the client accepts, 0 or more. */
    void setMaxDataXferSize(long size) {
        // vfio-user, "Read and Write Operations": count must not exceed the peer's max_data_xfer_size.
        maxCount = (int) Math.min(size, MAX_COUNT);
    }

    /** Whether the client accepts commands of at least {@link #MIN_DATA_XFER_SIZE}. */
    boolean arePossible() {
        return maxCount >= MIN_DATA_XFER_SIZE;
    }

    /** The maximum count of a command to this client. */
    int maxCount() {
        return maxCount;
    }

    /** Whether no command can be sent yet. */
    boolean isBusy() {
        return inFlight || channel.hasUnsent();
    }

    /** Whether the client may still write to guest memory for a command in flight. */
    boolean isWriteInFlight() {
        return inFlight && command == VFIO_USER_DMA_WRITE;
    }

    /** Reads guest memory. {@link DmaTransfer#completed} receives the bytes. */
    void read(DmaTransfer newTransfer, long newAddress, int newCount) throws VfioUserViolationException {
        begin(newTransfer, VFIO_USER_DMA_READ, newAddress, newCount, 0);
        channel.sendCommand();
    }

    /** Writes bytes to guest memory. {@link DmaTransfer#completed} is called when the client has done so. */
    void write(DmaTransfer newTransfer, long newAddress, int newCount, MemorySegment source, long offset)
            throws VfioUserViolationException {
        begin(newTransfer, VFIO_USER_DMA_WRITE, newAddress, newCount, newCount);
        channel.setData(DATA, source, offset, newCount);
        channel.sendCommand();
    }

    private void begin(DmaTransfer newTransfer, int newCommand, long newAddress, int newCount, int dataBytes) {
        inFlight = true;
        transfer = newTransfer;
        command = newCommand;
        address = newAddress;
        count = newCount;
        id = (id + 1) & U16_MASK;
        sentAt = loop.now();
        if (!scheduled) {
            scheduled = true;
            loop.schedule(this, sentAt + MAX_UNANSWERED_NANOS);
        }
        channel.beginCommand(id, command, DMA_ACCESS_BYTES + dataBytes);
        channel.setU64(ADDRESS, address);
        channel.setU64(COUNT, count);
    }

    /** Ignores the reply to the command in flight, if the command belongs to the transfer. */
    void ignoreReplyTo(DmaTransfer ended) {
        if (transfer == ended) {
            transfer = null;
        }
    }

    /**
     * Handles the message in the channel, which is a reply.
     *
     * @throws VfioUserViolationException if it does not belong to the command in flight
     */
    void replied() throws VfioUserViolationException {
        if (channel.messageId() != id || channel.command() != command || channel.isOversized()) {
            throw new VfioUserViolationException("reply to message " + channel.messageId() + ", command "
                    + channel.command() + ", expected " + id + ", command " + command);
        }
        if (!channel.isError()) {
            checkReply();
        }
        inFlight = false;
        channel.endCommand();
        DmaTransfer replied = transfer;
        transfer = null;
        if (replied == null) {
            return;
        }
        if (channel.isError()) {
            replied.refused(command, channel.error());
        } else {
            replied.completed(channel, DATA, count);
        }
    }

    private void checkReply() throws VfioUserViolationException {
        int bytes = channel.payloadBytes();
        boolean valid;
        if (command == VFIO_USER_DMA_READ) {
            valid = bytes == DMA_ACCESS_BYTES + count && channel.u64(COUNT) == count;
        } else {
            // The document has a count of 32 bits, libvfio-user one of 64 bits. QEMU sends only the header.
            valid = bytes == 0
                    || (bytes == DMA_WRITE_REPLY_BYTES && channel.u32(COUNT) == count)
                    || (bytes == DMA_ACCESS_BYTES && channel.u64(COUNT) == count);
        }
        if (!valid || (bytes > 0 && channel.u64(ADDRESS) != address)) {
            throw new VfioUserViolationException("reply of " + bytes + " bytes to command " + command + " for " + count
                    + " bytes at " + Long.toHexString(address) + ", which is for another range");
        }
    }

    @Override
    protected void handle(long now, boolean ready) {
        scheduled = false;
        if (!inFlight) {
            return;
        }
        boolean expired = now - sentAt >= MAX_UNANSWERED_NANOS;
        if (expired && receiving.getAsBoolean()) {
            onExpired.run();
            return;
        }
        scheduled = true;
        loop.schedule(this, expired ? now + RETRY_NANOS : sentAt + MAX_UNANSWERED_NANOS);
    }

    @Override
    public void handleBug(RuntimeException bug) {
        session.handleBug(bug);
    }

    /** Stops the timer. */
    void close() {
        loop.cancel(this);
    }
}
