package org.vhostuserrng.transport.vfiouser.session;

import static org.vhostuserrng.transport.vfiouser.protocol.VfioUserConstants.VFIO_USER_DMA_READ;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;
import org.vhostuserrng.transport.memory.GuestMemory;
import org.vhostuserrng.transport.vfiouser.protocol.VfioUserMessageChannel;
import org.vhostuserrng.transport.vfiouser.protocol.VfioUserViolationException;

/**
 * One transfer at a time between guest memory and memory of this process: at once in a mapped region, by commands to
 * the client in one without a descriptor. The next transfer begins after the last one is complete, so that the guest
 * sees them in order. Confined to the loop's thread.
 */
final class DmaTransfer {
    private final ServerDmaCommands commands;
    private final GuestMemory memory;
    private boolean toGuest;
    private long address;
    private MemorySegment local;
    private long localOffset;
    private long left;
    private String failure;

    DmaTransfer(ServerDmaCommands commands, GuestMemory memory) {
        this.commands = commands;
        this.memory = memory;
    }

    /** Begins to read guest memory into a segment. */
    void read(long fromAddress, MemorySegment target, long offset, long length) {
        begin(false, fromAddress, target, offset, length);
    }

    /** Begins to write a part of a segment to guest memory. The segment must not change meanwhile. */
    void write(long toAddress, MemorySegment source, long offset, long length) {
        begin(true, toAddress, source, offset, length);
    }

    private void begin(boolean write, long guestAddress, MemorySegment segment, long offset, long length) {
        assert left == 0;
        toGuest = write;
        address = guestAddress;
        local = segment;
        localOffset = offset;
        left = length;
    }

    /** Why the transfer cannot be completed; null if it can. */
    String failure() {
        return failure;
    }

    /**
     * Continues the transfer as far as possible. Returns whether it is complete, or has failed: otherwise it goes on
     * when the client has replied.
     */
    boolean advance() throws VfioUserViolationException {
        while (left > 0 && failure == null) {
            int region = memory.regionAt(address);
            if (region == GuestMemory.NONE) {
                failure = "guest address " + Long.toHexString(address) + " is in no accessible DMA region";
            } else if (!memory.isCopy(region)) {
                copy(region);
            } else {
                send(region);
                return false;
            }
        }
        return true;
    }

    private void copy(int region) {
        MemorySegment bytes = memory.bytes(region);
        long offset = memory.offset(region, address);
        long length = Math.min(left, bytes.byteSize() - offset);
        // Each transfer is visible to the guest before the next one begins.
        VarHandle.fullFence();
        if (toGuest) {
            MemorySegment.copy(local, localOffset, bytes, offset, length);
        } else {
            MemorySegment.copy(bytes, offset, local, localOffset, length);
        }
        VarHandle.fullFence();
        proceed(length);
    }

    private void send(int region) throws VfioUserViolationException {
        if (commands.isBusy()) {
            return;
        }
        long inRegion = memory.bytes(region).byteSize() - memory.offset(region, address);
        int count = (int) Math.min(Math.min(left, inRegion), commands.maxCount());
        if (toGuest) {
            commands.write(this, address, count, local, localOffset);
        } else {
            commands.read(this, address, count);
        }
    }

    private void proceed(long length) {
        address += length;
        localOffset += length;
        left -= length;
    }

    /**
     * The client has executed a command of this transfer.
     *
     * @param data offset of the data in the payload of the reply
     */
    void completed(VfioUserMessageChannel reply, long data, int count) {
        if (!toGuest) {
            reply.copyData(data, local, localOffset, count);
        }
        proceed(count);
    }

    /** The client has refused a command of this transfer. */
    void refused(int command, int errno) {
        failure = (command == VFIO_USER_DMA_READ ? "DMA_READ" : "DMA_WRITE") + " at guest address "
                + Long.toHexString(address) + " failed at the client with errno " + errno;
    }

    /** Ends the transfer. The reply to a command in flight is ignored. */
    void cancel() {
        commands.ignoreReplyTo(this);
        left = 0;
    }
}
