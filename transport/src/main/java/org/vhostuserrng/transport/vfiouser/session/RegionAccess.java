package org.vhostuserrng.transport.vfiouser.session;

import static org.vhostuserrng.transport.vfiouser.protocol.VfioUserConstants.REGION_ACCESS_BYTES;
import static org.vhostuserrng.transport.vfiouser.protocol.VfioUserConstants.SINGLE_WRITE_BYTES;
import static org.vhostuserrng.transport.vfiouser.protocol.VfioUserConstants.SINGLE_WRITE_MAX_DATA;
import static org.vhostuserrng.transport.vfiouser.protocol.VfioUserConstants.WRITE_MULTI_BYTES;

import java.lang.foreign.MemorySegment;
import org.vhostuserrng.libc.Errno;
import org.vhostuserrng.transport.loop.EventScheduler;
import org.vhostuserrng.transport.pci.PciFunction;
import org.vhostuserrng.transport.vfiouser.protocol.VfioUserMessageChannel;
import org.vhostuserrng.transport.vfiouser.protocol.VfioUserViolationException;

/**
 * The commands that access a device region: VFIO_USER_REGION_READ, WRITE and WRITE_MULTI. A region is accessed only
 * within its bounds. Confined to the loop's thread.
 */
final class RegionAccess {
    private static final int OK = 0;

    /** {@link #write} does not allocate, because an available buffer notification is such a command. */
    private static final long OFFSET = 0;

    private static final long REGION = 8;
    private static final long COUNT = 12;
    private static final long DATA = 16;
    private static final long WR_CNT = 0;

    /** Bounds a reply. No region is larger. */
    private static final int MAX_COUNT = 65536;

    /** Time budget of one part of a WRITE_MULTI, whose writes may start virtqueues. */
    private static final long WRITES_BUDGET_NANOS = 100_000;

    private final PciFunction function;
    private final VfioUserMessageChannel channel;
    private final EventScheduler loop;

    /** The writes of the WRITE_MULTI in execution that are done. */
    private int writesDone;

    RegionAccess(PciFunction function, VfioUserMessageChannel channel, EventScheduler loop) {
        this.function = function;
        this.channel = channel;
        this.loop = loop;
    }

    /** The size of a region; 0 for one that the function does not have. */
    static long size(PciFunction function, int region) {
        return region >= 0 && region <= PciFunction.REGION_CONFIG ? function.regionSize(region) : 0;
    }

    /** Whether a range, whose count is positive, is in a region. */
    private boolean isInside(int region, long offset, int count) {
        long size = size(function, region);
        // Unsigned and without overflow.
        return count > 0 && count <= size && Long.compareUnsigned(offset, size - count) <= 0;
    }

    /** Executes VFIO_USER_REGION_READ and sends the reply. Returns 0 or an errno. */
    int read() throws VfioUserViolationException {
        long offset = channel.u64(OFFSET);
        int region = channel.u32(REGION);
        int count = channel.u32(COUNT);
        if (!isInside(region, offset, count) || count > MAX_COUNT) {
            return Errno.EINVAL;
        }
        channel.beginReply(REGION_ACCESS_BYTES + count);
        MemorySegment target = channel.replyData(DATA, count);
        function.read(region, offset, target);
        reply(offset, region, count);
        return OK;
    }

    /** Executes VFIO_USER_REGION_WRITE and sends the reply. Returns 0 or an errno. Data path. */
    int write() throws VfioUserViolationException {
        long offset = channel.u64(OFFSET);
        int region = channel.u32(REGION);
        int count = channel.u32(COUNT);
        if (channel.payloadBytes() - REGION_ACCESS_BYTES != count || !isInside(region, offset, count)) {
            return Errno.EINVAL;
        }
        function.write(region, offset, channel.data(DATA, count));
        if (!channel.isNoReply()) {
            channel.beginReply(REGION_ACCESS_BYTES);
            reply(offset, region, count);
        }
        return OK;
    }

    private void reply(long offset, int region, int count) throws VfioUserViolationException {
        channel.setU64(OFFSET, offset);
        channel.setU32(REGION, region);
        channel.setU32(COUNT, count);
        channel.sendReply();
    }

    /**
     * Checks VFIO_USER_REGION_WRITE_MULTI. {@link #continueWrites} executes it.
     *
     * @return 0 or an errno, after which nothing has been written
     */
    int beginWrites() {
        writesDone = 0;
        long writes = channel.u64(WR_CNT);
        int bytes = channel.payloadBytes() - WRITE_MULTI_BYTES;
        if (bytes % SINGLE_WRITE_BYTES != 0 || writes != bytes / SINGLE_WRITE_BYTES) {
            return Errno.EINVAL;
        }
        for (int i = 0; i < writes; i++) {
            long write = WRITE_MULTI_BYTES + (long) i * SINGLE_WRITE_BYTES;
            int count = channel.u32(write + COUNT);
            if (count > SINGLE_WRITE_MAX_DATA
                    || !isInside(channel.u32(write + REGION), channel.u64(write + OFFSET), count)) {
                return Errno.EINVAL;
            }
        }
        return OK;
    }

    /** Executes as many writes as the time budget allows, and sends the reply after the last. Returns whether done. */
    boolean continueWrites() throws VfioUserViolationException {
        long deadline = loop.now() + WRITES_BUDGET_NANOS;
        int writes = (channel.payloadBytes() - WRITE_MULTI_BYTES) / SINGLE_WRITE_BYTES;
        while (writesDone < writes) {
            long write = WRITE_MULTI_BYTES + (long) writesDone * SINGLE_WRITE_BYTES;
            int count = channel.u32(write + COUNT);
            function.write(channel.u32(write + REGION), channel.u64(write + OFFSET), channel.data(write + DATA, count));
            writesDone++;
            if (writesDone < writes && loop.now() > deadline) {
                return false;
            }
        }
        if (!channel.isNoReply()) {
            channel.beginReply(WRITE_MULTI_BYTES);
            channel.setU64(WR_CNT, writes);
            channel.sendReply();
        }
        return true;
    }
}
