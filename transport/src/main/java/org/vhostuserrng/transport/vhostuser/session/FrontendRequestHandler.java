package org.vhostuserrng.transport.vhostuser.session;

import static org.vhostuserrng.transport.vhostuser.protocol.VhostUserSpec.VHOST_F_LOG_ALL;
import static org.vhostuserrng.transport.vhostuser.protocol.VhostUserSpec.VHOST_USER_F_PROTOCOL_FEATURES;
import static org.vhostuserrng.transport.vhostuser.protocol.VhostUserSpec.VHOST_USER_PROTOCOL_F_BACKEND_REQ;
import static org.vhostuserrng.transport.vhostuser.protocol.VhostUserSpec.VHOST_USER_PROTOCOL_F_CONFIGURE_MEM_SLOTS;
import static org.vhostuserrng.transport.vhostuser.protocol.VhostUserSpec.VHOST_USER_PROTOCOL_F_DEVICE_STATE;
import static org.vhostuserrng.transport.vhostuser.protocol.VhostUserSpec.VHOST_USER_PROTOCOL_F_GET_VRING_BASE_INFLIGHT;
import static org.vhostuserrng.transport.vhostuser.protocol.VhostUserSpec.VHOST_USER_PROTOCOL_F_GET_VRING_BASE_SKIP_DRAIN;
import static org.vhostuserrng.transport.vhostuser.protocol.VhostUserSpec.VHOST_USER_PROTOCOL_F_GPA_ADDRESSES;
import static org.vhostuserrng.transport.vhostuser.protocol.VhostUserSpec.VHOST_USER_PROTOCOL_F_INFLIGHT_SHMFD;
import static org.vhostuserrng.transport.vhostuser.protocol.VhostUserSpec.VHOST_USER_PROTOCOL_F_LOG_SHMFD;
import static org.vhostuserrng.transport.vhostuser.protocol.VhostUserSpec.VHOST_USER_PROTOCOL_F_MQ;
import static org.vhostuserrng.transport.vhostuser.protocol.VhostUserSpec.VHOST_USER_PROTOCOL_F_REPLY_ACK;
import static org.vhostuserrng.transport.vhostuser.protocol.VhostUserSpec.VHOST_USER_PROTOCOL_F_RESET_DEVICE;
import static org.vhostuserrng.transport.vhostuser.protocol.VhostUserSpec.VHOST_USER_PROTOCOL_F_STATUS;
import static org.vhostuserrng.transport.vhostuser.protocol.VhostUserSpec.VHOST_VRING_F_LOG;
import static org.vhostuserrng.transport.vhostuser.protocol.VhostUserSpec.VIRTIO_F_ACCESS_PLATFORM;
import static org.vhostuserrng.transport.vhostuser.protocol.VhostUserSpec.mask;

import java.io.IOException;
import java.util.Arrays;
import org.vhostuserrng.transport.memory.DirtyPageLog;
import org.vhostuserrng.transport.memory.VirtqueueAddressSpace;
import org.vhostuserrng.transport.sys.ErrnoException;
import org.vhostuserrng.transport.sys.EventFd;
import org.vhostuserrng.transport.sys.MemoryMapping;
import org.vhostuserrng.transport.vhostuser.VhostUserOptions;
import org.vhostuserrng.transport.vhostuser.protocol.FrontendRequest;
import org.vhostuserrng.transport.vhostuser.protocol.FrontendRequest.UserAddress;
import org.vhostuserrng.transport.vhostuser.protocol.ProtocolViolation;
import org.vhostuserrng.transport.vhostuser.protocol.ReceivedFds;
import org.vhostuserrng.transport.vhostuser.protocol.VhostUserMessageChannel;
import org.vhostuserrng.transport.vhostuser.protocol.VhostUserSpec;
import org.vhostuserrng.transport.virtio.VirtioDevice;

/**
 * What a front-end has configured: features, memory, rings; and what each of its requests does to that. Confined to the
 * loop's thread.
 */
final class FrontendRequestHandler implements AutoCloseable {
    /** vhost-user, SET_LOG_BASE: zero, as for all acknowledgements. */
    private static final long LOG_ACCEPTED = 0;
    /** A bit for each page of 2^53 bytes: what physical addresses of today's computers come to. */
    private static final long MOST_LOG_BYTES = 1L << 38;

    /** VIRTIO 1.3 §2.1: writing 0 into the device status resets the device. */
    private static final long STATUS_RESET = 0;

    private final VirtioDevice device;
    private final VhostUserOptions policy;
    private final Vring[] rings;
    private long features;
    private long protocolFeatures;
    private boolean negotiated;
    private long status;
    private final DirtyPageLog dirtyLog = new DirtyPageLog();
    private final InflightBuffer inflight;
    private final DeviceStateTransfer transfer;
    private MemoryTable memory = MemoryTable.empty();
    private final IommuState translations;

    FrontendRequestHandler(GuestContext guest, VhostUserSession session) {
        this.device = guest.device();
        this.policy = guest.policy();
        this.rings = new Vring[device.queueCount()];
        this.translations = new IommuState(rings, guest.log());
        Arrays.setAll(rings, i -> new Vring(i, guest, this, session));
        this.inflight = new InflightBuffer(device);
        this.transfer = new DeviceStateTransfer(guest, session, this::isSuspended);
    }

    MemoryTable memory() {
        return memory;
    }

    /** The features that the driver accepted. */
    long features() {
        return features;
    }

    /**
     * Whether a request that asks for an acknowledgement gets one. QEMU 7.2 goes on with a back-end that has come back
     * as if nothing had happened: it negotiates nothing, and waits for acknowledgements all the same.
     */
    boolean acknowledges() {
        return !negotiated || accepted(VHOST_USER_PROTOCOL_F_REPLY_ACK);
    }

    DirtyPageLog dirtyLog() {
        return dirtyLog;
    }

    InflightBuffer inflight() {
        return inflight;
    }

    DeviceStateTransfer transfer() {
        return transfer;
    }

    /** vhost-user, "Suspended device state": all rings are stopped. */
    private boolean isSuspended() {
        return Arrays.stream(rings).noneMatch(Vring::isStarted);
    }

    IommuState translations() {
        return translations;
    }

    /** Memory for a queue that starts now. */
    VirtqueueAddressSpace queueMemory() {
        return isTranslated() ? translations.memory(memory) : VirtqueueAddressSpace.physical(memory.guestMemory());
    }

    /** By an address of {@link #queueMemory}, what the front-end gave an address of for a part of a ring. */
    long toQueueMemory(UserAddress address) throws ProtocolViolation {
        // vhost-user: ring addresses are IOVAs with an IOMMU, else guest-physical ones with GPA_ADDRESSES.
        boolean asItIs = isTranslated() || accepted(VHOST_USER_PROTOCOL_F_GPA_ADDRESSES);
        return asItIs ? address.value() : memory.toGuest(address);
    }

    private boolean isTranslated() {
        return (features & mask(VIRTIO_F_ACCESS_PLATFORM)) != 0;
    }

    /** Stops all rings, then unmaps the guest's memory. */
    @Override
    public void close() {
        for (Vring ring : rings) {
            ring.close();
        }
        translations.close();
        memory.unmap();
        dirtyLog.close();
        inflight.close();
        transfer.close();
    }

    /** Carries a request out, and replies to it if it has a reply of its own. */
    void handle(FrontendRequest request, ReceivedFds fds, VhostUserMessageChannel channel) throws ProtocolViolation {
        switch (request) {
            case FrontendRequest.GetFeatures() -> channel.reply(offeredFeatures());
            case FrontendRequest.SetFeatures(long accepted) -> setFeatures(accepted);
            case FrontendRequest.GetProtocolFeatures() -> channel.reply(offeredProtocolFeatures());
            case FrontendRequest.SetProtocolFeatures(long accepted) -> setProtocolFeatures(accepted);
            case FrontendRequest.GetQueueNum() -> channel.reply(rings.length);
            case FrontendRequest.SetOwner() -> {
                // One front-end is served at a time: whoever is connected owns the session.
            }
            case FrontendRequest.ResetOwner() -> disableRings();
            case FrontendRequest.GetInflightFd(FrontendRequest.Inflight wanted) -> {
                require(VHOST_USER_PROTOCOL_F_INFLIGHT_SHMFD);
                inflight.offer(wanted, features, channel);
            }
            case FrontendRequest.SetInflightFd(FrontendRequest.Inflight given) -> setInflightFd(given, fds);
            case FrontendRequest.ResetDevice() -> {
                resetDevice();
                inflight.clear(features);
            }
            case FrontendRequest.SetStatus(long newStatus) -> setStatus(newStatus);
            case FrontendRequest.GetStatus() -> channel.reply(status);
            case FrontendRequest.SetMemTable table -> changeMemory(MemoryTable.map(table.regions(), fds, policy));
            case FrontendRequest.GetMaxMemSlots() -> channel.reply(VhostUserSpec.MAX_MEM_SLOTS);
            case FrontendRequest.AddMemReg(FrontendRequest.MemoryRegion region) -> addMemory(region, fds);
            case FrontendRequest.RemMemReg(FrontendRequest.MemoryRegion region) -> changeMemory(memory.minus(region));
            case FrontendRequest.SetLogBase(long size, long offset) -> {
                setLogBase(size, offset, fds);
                channel.reply(LOG_ACCEPTED);
            }
            case FrontendRequest.SetLogFd() -> dirtyLog.tell(eventFd(true, fds));
            case FrontendRequest.SetVringNum(int index, int num) -> ring(index).setNum(num);
            case FrontendRequest.SetVringBase(int index, int base) ->
                ring(index).setBase(base);
            case FrontendRequest.SetVringAddr addr -> setVringAddr(addr);
            case FrontendRequest.GetVringBase(int index) -> channel.reply(index, stop(ring(index)));
            case FrontendRequest.SetVringKick(int index, boolean hasFd) -> setKick(ring(index), eventFd(hasFd, fds));
            case FrontendRequest.SetVringCall(int index, boolean hasFd) ->
                ring(index).setCall(eventFd(hasFd, fds));
            case FrontendRequest.SetVringErr(int index, boolean hasFd) ->
                ring(index).setErr(eventFd(hasFd, fds));
            case FrontendRequest.SetVringEnable(int index, boolean enabled) ->
                ring(index).setEnabled(enabled);
            case FrontendRequest.SetBackendReqFd() -> translations.askOn(fds.take());
            case FrontendRequest.IotlbMsg message -> translate(message);
            case FrontendRequest.SetDeviceStateFd(int direction, int phase) -> {
                require(VHOST_USER_PROTOCOL_F_DEVICE_STATE);
                channel.reply(transfer.begin(direction, phase, fds));
            }
            case FrontendRequest.CheckDeviceState() -> {
                require(VHOST_USER_PROTOCOL_F_DEVICE_STATE);
                if (transfer.check()) {
                    channel.reply(transfer.outcome());
                }
            }
            case FrontendRequest.GetVringBaseSkipDrain(int index) -> {
                require(VHOST_USER_PROTOCOL_F_INFLIGHT_SHMFD);
                require(VHOST_USER_PROTOCOL_F_GET_VRING_BASE_INFLIGHT);
                require(VHOST_USER_PROTOCOL_F_GET_VRING_BASE_SKIP_DRAIN);
                channel.reply(index, ring(index).stop());
            }
            case FrontendRequest.Unknown(int id) ->
                throw new ProtocolViolation("unknown request " + Integer.toUnsignedString(id));
        }
    }

    // --- features --------------------------------------------------------------------------------------------------

    private long offeredFeatures() {
        return device.features()
                | mask(VHOST_USER_F_PROTOCOL_FEATURES)
                | mask(VHOST_F_LOG_ALL)
                | (policy.accessPlatform() ? mask(VIRTIO_F_ACCESS_PLATFORM) : 0);
    }

    private long offeredProtocolFeatures() {
        return mask(VHOST_USER_PROTOCOL_F_MQ)
                | mask(VHOST_USER_PROTOCOL_F_LOG_SHMFD)
                | mask(VHOST_USER_PROTOCOL_F_REPLY_ACK)
                | mask(VHOST_USER_PROTOCOL_F_BACKEND_REQ)
                | mask(VHOST_USER_PROTOCOL_F_INFLIGHT_SHMFD)
                | mask(VHOST_USER_PROTOCOL_F_RESET_DEVICE)
                | mask(VHOST_USER_PROTOCOL_F_STATUS)
                | mask(VHOST_USER_PROTOCOL_F_DEVICE_STATE)
                | mask(VHOST_USER_PROTOCOL_F_GET_VRING_BASE_INFLIGHT)
                | mask(VHOST_USER_PROTOCOL_F_GPA_ADDRESSES)
                | mask(VHOST_USER_PROTOCOL_F_GET_VRING_BASE_SKIP_DRAIN)
                | (policy.memSlots() ? mask(VHOST_USER_PROTOCOL_F_CONFIGURE_MEM_SLOTS) : 0);
    }

    private boolean accepted(int protocolFeature) {
        return (protocolFeatures & mask(protocolFeature)) != 0;
    }

    private void require(int protocolFeature) throws ProtocolViolation {
        if (!accepted(protocolFeature)) {
            throw new ProtocolViolation("needs protocol feature " + protocolFeature + ", which was not accepted");
        }
    }

    private void setFeatures(long accepted) throws ProtocolViolation {
        requireOffered("features", accepted, offeredFeatures());
        // Logging begins and ends while rings run; nothing else that a driver knows of may change under them.
        long notTheDrivers = mask(VHOST_F_LOG_ALL) | mask(VHOST_USER_F_PROTOCOL_FEATURES);
        boolean changed = ((accepted ^ features) & ~notTheDrivers) != 0;
        if (changed && !isSuspended()) {
            throw new ProtocolViolation("features changed while a ring is started");
        }
        features = accepted;
        forgetTranslationsUnlessUsed();
        for (Vring ring : rings) {
            ring.logBuffers((accepted & mask(VHOST_F_LOG_ALL)) != 0);
        }
        // vhost-user, "Ring states": without VHOST_USER_F_PROTOCOL_FEATURES rings are enabled from the beginning.
        if ((accepted & mask(VHOST_USER_F_PROTOCOL_FEATURES)) == 0) {
            for (Vring ring : rings) {
                ring.setEnabled(true);
            }
        }
    }

    private void setProtocolFeatures(long accepted) throws ProtocolViolation {
        requireOffered("protocol features", accepted, offeredProtocolFeatures());
        protocolFeatures = accepted;
        negotiated = true;
    }

    private static void requireOffered(String what, long accepted, long offered) throws ProtocolViolation {
        long notOffered = accepted & ~offered;
        if (notOffered != 0) {
            throw new ProtocolViolation(what + " " + Long.toHexString(notOffered) + " were not offered");
        }
    }

    // --- device ----------------------------------------------------------------------------------------------------

    private void setStatus(long newStatus) throws ProtocolViolation {
        status = newStatus;
        if (newStatus == STATUS_RESET) {
            resetDevice();
        }
    }

    /** vhost-user, RESET_DEVICE: rings are disabled and the device is as it was at first; quota and source remain. */
    private void resetDevice() throws ProtocolViolation {
        status = STATUS_RESET;
        disableRings();
        for (Vring ring : rings) {
            ring.reset();
        }
        translations.forgetAll();
    }

    private void disableRings() throws ProtocolViolation {
        for (Vring ring : rings) {
            ring.setEnabled(false);
        }
    }

    // --- memory ----------------------------------------------------------------------------------------------------

    private void addMemory(FrontendRequest.MemoryRegion region, ReceivedFds fds) throws ProtocolViolation {
        if (memory.size() == VhostUserSpec.MAX_MEM_SLOTS) {
            throw new ProtocolViolation("memory: more than " + VhostUserSpec.MAX_MEM_SLOTS + " regions");
        }
        changeMemory(memory.plus(region, fds.get(0), policy));
    }

    /** Rings that run go on in the new memory. */
    private void changeMemory(MemoryTable next) {
        for (Vring ring : rings) {
            ring.suspend();
        }
        translations.keepThoseOf(memory, next);
        memory.unmapExcept(next);
        memory = next;
        for (Vring ring : rings) {
            ring.resume();
        }
    }

    private void setLogBase(long size, long offset, ReceivedFds fds) throws ProtocolViolation {
        if (offset % DirtyPageLog.ALIGNMENT != 0) {
            throw new ProtocolViolation("dirty log at offset " + Long.toUnsignedString(offset)
                    + ", expected a multiple of " + DirtyPageLog.ALIGNMENT);
        }
        if (Long.compareUnsigned(size, MOST_LOG_BYTES) > 0) {
            throw new ProtocolViolation(
                    "dirty log of " + Long.toUnsignedString(size) + " bytes, expected at most " + MOST_LOG_BYTES);
        }
        try {
            MemoryMapping log = MemoryMapping.adopt(fds.get(0), offset, size);
            // Bits are set with an atomic instruction, which the JVM does not survive on memory that has vanished.
            if (log.canVanish()) {
                log.close();
                throw new IOException("memory that cannot be sealed against shrinking, or of huge pages");
            }
            dirtyLog.use(log);
        } catch (IOException refused) {
            throw new ProtocolViolation("dirty log: " + refused.getMessage(), refused);
        }
    }

    private void translate(FrontendRequest.IotlbMsg message) throws ProtocolViolation {
        if (!isTranslated()) {
            throw new ProtocolViolation("IOTLB message without VIRTIO_F_ACCESS_PLATFORM");
        }
        translations.handle(message, memory, accepted(VHOST_USER_PROTOCOL_F_GPA_ADDRESSES));
    }

    private void forgetTranslationsUnlessUsed() {
        if (isSuspended()) {
            translations.forgetAll();
        }
    }

    private void setInflightFd(FrontendRequest.Inflight given, ReceivedFds fds) throws ProtocolViolation {
        require(VHOST_USER_PROTOCOL_F_INFLIGHT_SHMFD);
        if (!isSuspended()) {
            throw new ProtocolViolation("inflight buffer changed while a ring is started");
        }
        inflight.use(given, fds.get(0), policy.sealedMemoryOnly());
    }

    // --- rings -----------------------------------------------------------------------------------------------------

    private Vring ring(int index) throws ProtocolViolation {
        if (index < 0 || index >= rings.length) {
            throw new ProtocolViolation(
                    "ring " + Integer.toUnsignedString(index) + " of a device that has " + rings.length);
        }
        return rings[index];
    }

    private int stop(Vring ring) {
        int base = ring.stop();
        forgetTranslationsUnlessUsed();
        return base;
    }

    private void setVringAddr(FrontendRequest.SetVringAddr addr) throws ProtocolViolation {
        if ((addr.flags() & ~(1 << VHOST_VRING_F_LOG)) != 0) {
            throw new ProtocolViolation("ring flags " + Integer.toHexString(addr.flags()) + ", expected 0 or 1");
        }
        Vring ring = ring(addr.index());
        ring.setAddresses(new Vring.Addresses(addr.descriptor(), addr.used(), addr.available()));
        ring.logRing((addr.flags() & (1 << VHOST_VRING_F_LOG)) != 0, addr.log());
    }

    private static void setKick(Vring ring, EventFd kick) throws ProtocolViolation {
        try {
            ring.setKick(kick);
        } catch (ErrnoException refused) {
            throw new ProtocolViolation("kick descriptor: " + refused.getMessage(), refused);
        }
    }

    private static EventFd eventFd(boolean sent, ReceivedFds fds) throws ProtocolViolation {
        if (!sent) {
            return null;
        }
        try {
            return EventFd.adopt(fds.take());
        } catch (IOException refused) {
            throw new ProtocolViolation(refused.getMessage(), refused);
        }
    }
}
