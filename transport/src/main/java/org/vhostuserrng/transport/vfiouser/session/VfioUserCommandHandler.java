package org.vhostuserrng.transport.vfiouser.session;

import static org.vhostuserrng.transport.vfiouser.protocol.VfioUserConstants.DEVICE_INFO_BYTES;
import static org.vhostuserrng.transport.vfiouser.protocol.VfioUserConstants.DMA_MAP_BYTES;
import static org.vhostuserrng.transport.vfiouser.protocol.VfioUserConstants.DMA_MAP_FLAG_READABLE;
import static org.vhostuserrng.transport.vfiouser.protocol.VfioUserConstants.DMA_MAP_FLAG_WRITEABLE;
import static org.vhostuserrng.transport.vfiouser.protocol.VfioUserConstants.DMA_UNMAP_BYTES;
import static org.vhostuserrng.transport.vfiouser.protocol.VfioUserConstants.IRQ_INFO_BYTES;
import static org.vhostuserrng.transport.vfiouser.protocol.VfioUserConstants.IRQ_SET_BYTES;
import static org.vhostuserrng.transport.vfiouser.protocol.VfioUserConstants.PGSIZES;
import static org.vhostuserrng.transport.vfiouser.protocol.VfioUserConstants.REGION_INFO_BYTES;
import static org.vhostuserrng.transport.vfiouser.protocol.VfioUserConstants.REGION_IO_FDS_BYTES;
import static org.vhostuserrng.transport.vfiouser.protocol.VfioUserConstants.VERSION_BYTES;
import static org.vhostuserrng.transport.vfiouser.protocol.VfioUserConstants.VERSION_MAJOR;
import static org.vhostuserrng.transport.vfiouser.protocol.VfioUserConstants.VFIO_DEVICE_FLAGS_PCI;
import static org.vhostuserrng.transport.vfiouser.protocol.VfioUserConstants.VFIO_DEVICE_FLAGS_RESET;
import static org.vhostuserrng.transport.vfiouser.protocol.VfioUserConstants.VFIO_PCI_NUM_IRQS;
import static org.vhostuserrng.transport.vfiouser.protocol.VfioUserConstants.VFIO_PCI_NUM_REGIONS;
import static org.vhostuserrng.transport.vfiouser.protocol.VfioUserConstants.VFIO_REGION_INFO_FLAG_READ;
import static org.vhostuserrng.transport.vfiouser.protocol.VfioUserConstants.VFIO_REGION_INFO_FLAG_WRITE;

import java.io.IOException;
import org.vhostuserrng.libc.Errno;
import org.vhostuserrng.transport.vfiouser.protocol.VersionProposal;
import org.vhostuserrng.transport.vfiouser.protocol.VfioUserCommand;
import org.vhostuserrng.transport.vfiouser.protocol.VfioUserMessageChannel;
import org.vhostuserrng.transport.vfiouser.protocol.VfioUserViolationException;

/**
 * Executes the commands of a client one by one, and replies to each. An invalid command is answered with an error and
 * has no effect. Confined to the loop's thread.
 */
final class VfioUserCommandHandler implements AutoCloseable {
    /** The state of the command in execution. */
    enum Progress {
        /** The command has been executed. */
        DONE,
        /** The file of a VFIO_USER_DMA_MAP must be {@link DmaRegionFile#prepare prepared}. */
        FILE_UNPREPARED,
        /** The writes of a VFIO_USER_REGION_WRITE_MULTI go on after the other guests. */
        WRITES_LEFT
    }

    private static final int OK = 0;

    // Offsets in the payloads of DMA_MAP, DMA_UNMAP and the info commands.
    private static final long ARGSZ = 0;
    private static final long FLAGS = 4;
    private static final long MAP_OFFSET = 8;
    private static final long MAP_ADDRESS = 16;
    private static final long MAP_SIZE = 24;
    private static final long UNMAP_ADDRESS = 8;
    private static final long UNMAP_SIZE = 16;
    private static final long NUM_REGIONS = 8;
    private static final long NUM_IRQS = 12;
    private static final long INDEX = 8;
    private static final long REGION_SIZE = 16;
    private static final long INFO_COUNT = 12;
    private static final long MINOR = 2;

    private static final String NO_DMA_COMMANDS = "the client sent no descriptor for it, and its max_data_xfer_size is"
            + " below " + ServerDmaCommands.MIN_DATA_XFER_SIZE;
    private static final String NOT_WRITEABLE = "the client does not permit writes to it";

    private final VfioUserGuest guest;
    private final VfioUserMessageChannel channel;
    private final VfioUserFunctionHost host;
    private final RegionAccess regionAccess;
    private boolean negotiated;
    /** The file of the DMA_MAP in execution; null for none. */
    private DmaRegionFile file;
    /** The last reason why a region is not accessible, which is logged once. */
    private String lastInaccessible = "";

    VfioUserCommandHandler(VfioUserGuest guest, VfioUserMessageChannel channel, VfioUserFunctionHost host) {
        this.guest = guest;
        this.channel = channel;
        this.host = host;
        this.regionAccess = new RegionAccess(host.function(), channel, guest.loop());
    }

    /**
     * Executes the message in the channel.
     *
     * @throws VfioUserViolationException if the session ends
     */
    Progress execute() throws VfioUserViolationException {
        VfioUserCommand command = VfioUserCommand.of(channel.command());
        if (!negotiated && command != VfioUserCommand.VERSION) {
            // vfio-user, "Connection Initiation": the initial client message is VFIO_USER_VERSION.
            throw new VfioUserViolationException("command " + channel.command() + " before VERSION");
        }
        int errno = command == null ? Errno.ENOTSUP : check(command);
        if (errno != OK) {
            return refused(errno);
        }
        return switch (command) {
            case REGION_WRITE -> result(regionAccess.write());
            case REGION_READ -> result(regionAccess.read());
            case REGION_WRITE_MULTI -> writeMulti();
            case VERSION -> version();
            case DMA_MAP -> dmaMap();
            case DMA_UNMAP -> result(dmaUnmap());
            case DEVICE_GET_INFO -> result(deviceInfo());
            case DEVICE_GET_REGION_INFO -> result(regionInfo());
            case DEVICE_GET_REGION_IO_FDS -> result(regionIoFds());
            case DEVICE_GET_IRQ_INFO -> result(irqInfo());
            case DEVICE_SET_IRQS -> result(setIrqs());
            case DEVICE_RESET -> reset();
        };
    }

    /** Continues a command that is not {@link Progress#DONE}. */
    Progress resume() throws VfioUserViolationException {
        return file == null ? continueWrites() : finishDmaMap();
    }

    /** The file of the command in execution; null for none. */
    DmaRegionFile file() {
        return file;
    }

    private int check(VfioUserCommand command) {
        return channel.isOversized() || !command.allows(channel.payloadBytes(), channel.fdCount()) ? Errno.EINVAL : OK;
    }

    /** Replies to an invalid command. */
    private Progress refused(int errno) throws VfioUserViolationException {
        guest.log().warn("vfio-user command " + channel.command() + " refused with errno " + errno);
        channel.sendError(errno);
        return Progress.DONE;
    }

    private Progress result(int errno) throws VfioUserViolationException {
        return errno == OK ? Progress.DONE : refused(errno);
    }

    private Progress version() throws VfioUserViolationException {
        if (negotiated) {
            return refused(Errno.EINVAL);
        }
        VersionProposal proposal;
        try {
            proposal = VersionProposal.parse(channel.data(0, channel.payloadBytes()));
        } catch (VfioUserViolationException refused) {
            // Without a reply, QEMU waits for 5 s.
            channel.sendError(Errno.EINVAL);
            throw refused;
        }
        host.dmaCommands().setMaxDataXferSize(proposal.maxDataXferSize());
        byte[] data = proposal.acceptedData(guest.options().maxRegions());
        channel.beginReply(VERSION_BYTES + data.length);
        channel.setU16(0, VERSION_MAJOR);
        channel.setU16(MINOR, proposal.acceptedMinor());
        channel.setBytes(VERSION_BYTES, data);
        channel.sendReply();
        negotiated = true;
        return Progress.DONE;
    }

    // --- memory ----------------------------------------------------------------------------------------------------

    private Progress dmaMap() throws VfioUserViolationException {
        int flags = channel.u32(FLAGS);
        long offset = channel.u64(MAP_OFFSET);
        long address = channel.u64(MAP_ADDRESS);
        long size = channel.u64(MAP_SIZE);
        int errno = checkDmaMap(flags, offset, address, size);
        if (errno != OK) {
            return refused(errno);
        }
        boolean shared = channel.fdCount() > 0;
        // A mapping is writable, and a guest chooses where the device writes.
        boolean writeable = (flags & DMA_MAP_FLAG_WRITEABLE) != 0 && (flags & DMA_MAP_FLAG_READABLE) != 0;
        if (!writeable) {
            return add(DmaRegion.inaccessible(address, size, NOT_WRITEABLE));
        }
        if (!shared && !host.dmaCommands().arePossible()) {
            return add(DmaRegion.inaccessible(address, size, NO_DMA_COMMANDS));
        }
        if (size > guest.options().maxMemoryBytes() - host.regions().mappedBytes()) {
            guest.log()
                    .warn("DMA region of " + size + " bytes in addition to "
                            + host.regions().mappedBytes() + ", expected at most "
                            + guest.options().maxMemoryBytes() + " in all regions (--max-guest-memory)");
            return refused(Errno.ENOMEM);
        }
        file = new DmaRegionFile(
                shared ? channel.takeFd() : null, offset, address, size, guest.options(), guest.peerFiles());
        return Progress.FILE_UNPREPARED;
    }

    private int checkDmaMap(int flags, long offset, long address, long size) {
        int known = DMA_MAP_FLAG_READABLE | DMA_MAP_FLAG_WRITEABLE;
        if (!isArgszAtLeast(DMA_MAP_BYTES)
                || flags == 0
                || (flags & ~known) != 0
                || size <= 0
                || offset < 0
                || ((offset | address | size) & (PGSIZES - 1)) != 0
                || Long.compareUnsigned(address + size - 1, address) < 0) {
            return Errno.EINVAL;
        }
        // vfio-user, VFIO_USER_DMA_MAP: a command to map over an existing region must be failed with EEXIST.
        if (host.regions().overlaps(address, size)) {
            return Errno.EEXIST;
        }
        return host.regions().size() < guest.options().maxRegions() ? OK : Errno.ENOSPC;
    }

    private Progress finishDmaMap() throws VfioUserViolationException {
        DmaRegionFile prepared = file;
        file = null;
        try {
            DmaRegion region = prepared.take();
            if (!region.isAccessible() && !region.inaccessible().equals(lastInaccessible)) {
                lastInaccessible = region.inaccessible();
                guest.log().warn(region.inaccessibleRegion().toString());
            }
            return add(region);
        } catch (IOException refused) {
            guest.log().warn("DMA region refused: " + refused.getMessage());
            return refused(Errno.ENOMEM);
        }
    }

    private Progress add(DmaRegion region) throws VfioUserViolationException {
        host.addRegion(region);
        channel.beginReply(0);
        channel.sendReply();
        return Progress.DONE;
    }

    private int dmaUnmap() throws VfioUserViolationException {
        if (!isArgszAtLeast(DMA_UNMAP_BYTES)) {
            return Errno.EINVAL;
        }
        if (channel.u32(FLAGS) != 0) {
            return Errno.ENOTSUP;
        }
        if (!host.removeRegion(channel.u64(UNMAP_ADDRESS), channel.u64(UNMAP_SIZE))) {
            return Errno.ENOENT;
        }
        channel.beginReply(DMA_UNMAP_BYTES);
        channel.setU32(ARGSZ, DMA_UNMAP_BYTES);
        channel.setU64(UNMAP_ADDRESS, channel.u64(UNMAP_ADDRESS));
        channel.setU64(UNMAP_SIZE, channel.u64(UNMAP_SIZE));
        channel.sendReply();
        return OK;
    }

    private boolean isArgszAtLeast(int bytes) {
        return Integer.compareUnsigned(channel.u32(ARGSZ), bytes) >= 0;
    }

    // --- device ----------------------------------------------------------------------------------------------------

    private int deviceInfo() throws VfioUserViolationException {
        if (!isArgszAtLeast(DEVICE_INFO_BYTES)) {
            return Errno.EINVAL;
        }
        channel.beginReply(DEVICE_INFO_BYTES);
        channel.setU32(ARGSZ, DEVICE_INFO_BYTES);
        channel.setU32(FLAGS, VFIO_DEVICE_FLAGS_RESET | VFIO_DEVICE_FLAGS_PCI);
        channel.setU32(NUM_REGIONS, VFIO_PCI_NUM_REGIONS);
        channel.setU32(NUM_IRQS, VFIO_PCI_NUM_IRQS);
        channel.sendReply();
        return OK;
    }

    private int regionInfo() throws VfioUserViolationException {
        int index = channel.u32(INDEX);
        if (!isArgszAtLeast(REGION_INFO_BYTES) || index < 0 || index >= VFIO_PCI_NUM_REGIONS) {
            return Errno.EINVAL;
        }
        long size = RegionAccess.size(host.function(), index);
        channel.beginReply(REGION_INFO_BYTES);
        channel.setU32(ARGSZ, REGION_INFO_BYTES);
        channel.setU32(FLAGS, size == 0 ? 0 : VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE);
        channel.setU32(INDEX, index);
        channel.setU64(REGION_SIZE, size);
        channel.sendReply();
        return OK;
    }

    /** No region is accessible by descriptors. */
    private int regionIoFds() throws VfioUserViolationException {
        int index = channel.u32(INDEX);
        if (!isArgszAtLeast(REGION_IO_FDS_BYTES)
                || channel.u32(FLAGS) != 0
                || channel.u32(INFO_COUNT) != 0
                || index < 0
                || index >= VFIO_PCI_NUM_REGIONS) {
            return Errno.EINVAL;
        }
        channel.beginReply(REGION_IO_FDS_BYTES);
        channel.setU32(ARGSZ, REGION_IO_FDS_BYTES);
        channel.setU32(INDEX, index);
        channel.sendReply();
        return OK;
    }

    private int irqInfo() throws VfioUserViolationException {
        int index = channel.u32(INDEX);
        if (!isArgszAtLeast(IRQ_INFO_BYTES) || index < 0 || index >= VFIO_PCI_NUM_IRQS) {
            return Errno.EINVAL;
        }
        channel.beginReply(IRQ_INFO_BYTES);
        channel.setU32(ARGSZ, IRQ_INFO_BYTES);
        channel.setU32(FLAGS, host.interrupts().flags(index));
        channel.setU32(INDEX, index);
        channel.setU32(INFO_COUNT, host.interrupts().count(index));
        channel.sendReply();
        return OK;
    }

    private int setIrqs() throws VfioUserViolationException {
        int errno = isArgszAtLeast(IRQ_SET_BYTES) ? host.interrupts().set(channel) : Errno.EINVAL;
        if (errno == OK) {
            channel.beginReply(0);
            channel.sendReply();
        }
        return errno;
    }

    private Progress reset() throws VfioUserViolationException {
        host.reset();
        channel.beginReply(0);
        channel.sendReply();
        return Progress.DONE;
    }

    private Progress writeMulti() throws VfioUserViolationException {
        int errno = regionAccess.beginWrites();
        return errno == OK ? continueWrites() : refused(errno);
    }

    private Progress continueWrites() throws VfioUserViolationException {
        return regionAccess.continueWrites() ? Progress.DONE : Progress.WRITES_LEFT;
    }

    /** Closes the file of the command in execution. */
    @Override
    public void close() {
        if (file != null) {
            DmaRegionFile unprepared = file;
            file = null;
            guest.peerFiles().execute(unprepared::close);
        }
    }
}
