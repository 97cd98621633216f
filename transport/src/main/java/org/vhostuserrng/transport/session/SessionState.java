package org.vhostuserrng.transport.session;

import static org.vhostuserrng.transport.protocol.VhostUser.VHOST_F_LOG_ALL;
import static org.vhostuserrng.transport.protocol.VhostUser.VHOST_USER_F_PROTOCOL_FEATURES;
import static org.vhostuserrng.transport.protocol.VhostUser.VHOST_USER_PROTOCOL_F_BACKEND_REQ;
import static org.vhostuserrng.transport.protocol.VhostUser.VHOST_USER_PROTOCOL_F_CONFIGURE_MEM_SLOTS;
import static org.vhostuserrng.transport.protocol.VhostUser.VHOST_USER_PROTOCOL_F_DEVICE_STATE;
import static org.vhostuserrng.transport.protocol.VhostUser.VHOST_USER_PROTOCOL_F_GET_VRING_BASE_INFLIGHT;
import static org.vhostuserrng.transport.protocol.VhostUser.VHOST_USER_PROTOCOL_F_GET_VRING_BASE_SKIP_DRAIN;
import static org.vhostuserrng.transport.protocol.VhostUser.VHOST_USER_PROTOCOL_F_GPA_ADDRESSES;
import static org.vhostuserrng.transport.protocol.VhostUser.VHOST_USER_PROTOCOL_F_INFLIGHT_SHMFD;
import static org.vhostuserrng.transport.protocol.VhostUser.VHOST_USER_PROTOCOL_F_LOG_SHMFD;
import static org.vhostuserrng.transport.protocol.VhostUser.VHOST_USER_PROTOCOL_F_MQ;
import static org.vhostuserrng.transport.protocol.VhostUser.VHOST_USER_PROTOCOL_F_REPLY_ACK;
import static org.vhostuserrng.transport.protocol.VhostUser.VHOST_USER_PROTOCOL_F_RESET_DEVICE;
import static org.vhostuserrng.transport.protocol.VhostUser.VHOST_USER_PROTOCOL_F_STATUS;
import static org.vhostuserrng.transport.protocol.VhostUser.VHOST_VRING_F_LOG;
import static org.vhostuserrng.transport.protocol.VhostUser.VIRTIO_F_ACCESS_PLATFORM;
import static org.vhostuserrng.transport.protocol.VhostUser.mask;

import java.io.IOException;
import java.util.Arrays;
import org.vhostuserrng.transport.DirtyLog;
import org.vhostuserrng.transport.QueueMemory;
import org.vhostuserrng.transport.SessionPolicy;
import org.vhostuserrng.transport.VirtioDevice;
import org.vhostuserrng.transport.protocol.MessageChannel;
import org.vhostuserrng.transport.protocol.ProtocolViolation;
import org.vhostuserrng.transport.protocol.ReceivedFds;
import org.vhostuserrng.transport.protocol.Request;
import org.vhostuserrng.transport.protocol.Request.UserAddress;
import org.vhostuserrng.transport.protocol.VhostUser;
import org.vhostuserrng.transport.sys.EventFd;
import org.vhostuserrng.transport.sys.HostFault;
import org.vhostuserrng.transport.sys.Mapping;

/**
 * What a front-end has configured: features, memory, rings; and what each of its requests does to that. Confined to the
 * loop's thread.
 */
final class SessionState implements AutoCloseable {
    /** vhost-user, SET_LOG_BASE: zero, as for all acknowledgements. */
    private static final long LOG_ACCEPTED = 0;
    /** A bit for each page of 2^53 bytes: what physical addresses of today's computers come to. */
    private static final long MOST_LOG_BYTES = 1L << 38;

    /** VIRTIO 1.3 §2.1: writing 0 into the device status resets the device. */
    private static final long STATUS_RESET = 0;

    private final VirtioDevice device;
    private final SessionPolicy policy;
    private final RingSlot[] rings;
    private long features;
    private long protocolFeatures;
    private boolean negotiated;
    private long status;
    private final DirtyLog dirtyLog = new DirtyLog();
    private final InflightBuffer inflight;
    private final StateTransfer transfer;
    private MemoryTable memory = MemoryTable.empty();
    private final Translations translations;

    SessionState(Guest guest, Session session) {
        this.device = guest.device();
        this.policy = guest.policy();
        this.rings = new RingSlot[device.queueCount()];
        this.translations = new Translations(rings, guest.log());
        Arrays.setAll(rings, i -> new RingSlot(i, guest, this, session));
        this.inflight = new InflightBuffer(device);
        this.transfer = new StateTransfer(guest, session, this::isSuspended);
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

    DirtyLog dirtyLog() {
        return dirtyLog;
    }

    InflightBuffer inflight() {
        return inflight;
    }

    StateTransfer transfer() {
        return transfer;
    }

    /** vhost-user, "Suspended device state": all rings are stopped. */
    private boolean isSuspended() {
        return Arrays.stream(rings).noneMatch(RingSlot::isStarted);
    }

    Translations translations() {
        return translations;
    }

    /** Memory for a queue that starts now. */
    QueueMemory queueMemory() {
        return isTranslated() ? translations.memory(memory) : QueueMemory.physical(memory.guestMemory());
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
        for (RingSlot ring : rings) {
            ring.close();
        }
        translations.close();
        memory.unmap();
        dirtyLog.close();
        inflight.close();
        transfer.close();
    }

    /** Carries a request out, and replies to it if it has a reply of its own. */
    void handle(Request request, ReceivedFds fds, MessageChannel channel) throws ProtocolViolation {
        switch (request) {
            case Request.GetFeatures() -> channel.reply(offeredFeatures());
            case Request.SetFeatures(long accepted) -> setFeatures(accepted);
            case Request.GetProtocolFeatures() -> channel.reply(offeredProtocolFeatures());
            case Request.SetProtocolFeatures(long accepted) -> setProtocolFeatures(accepted);
            case Request.GetQueueNum() -> channel.reply(rings.length);
            case Request.SetOwner() -> {
                // One front-end is served at a time: whoever is connected owns the session.
            }
            case Request.ResetOwner() -> disableRings();
            case Request.GetInflightFd(Request.Inflight wanted) -> {
                require(VHOST_USER_PROTOCOL_F_INFLIGHT_SHMFD);
                inflight.offer(wanted, features, channel);
            }
            case Request.SetInflightFd(Request.Inflight given) -> setInflightFd(given, fds);
            case Request.ResetDevice() -> {
                resetDevice();
                inflight.clear(features);
            }
            case Request.SetStatus(long newStatus) -> setStatus(newStatus);
            case Request.GetStatus() -> channel.reply(status);
            case Request.SetMemTable table -> changeMemory(MemoryTable.map(table.regions(), fds, policy));
            case Request.GetMaxMemSlots() -> channel.reply(VhostUser.MAX_MEM_SLOTS);
            case Request.AddMemReg(Request.MemoryRegion region) -> addMemory(region, fds);
            case Request.RemMemReg(Request.MemoryRegion region) -> changeMemory(memory.minus(region));
            case Request.SetLogBase(long size, long offset) -> {
                setLogBase(size, offset, fds);
                channel.reply(LOG_ACCEPTED);
            }
            case Request.SetLogFd() -> dirtyLog.tell(eventFd(true, fds));
            case Request.SetVringNum(int index, int num) -> ring(index).setNum(num);
            case Request.SetVringBase(int index, int base) -> ring(index).setBase(base);
            case Request.SetVringAddr addr -> setVringAddr(addr);
            case Request.GetVringBase(int index) -> channel.reply(index, stop(ring(index)));
            case Request.SetVringKick(int index, boolean hasFd) -> setKick(ring(index), eventFd(hasFd, fds));
            case Request.SetVringCall(int index, boolean hasFd) -> ring(index).setCall(eventFd(hasFd, fds));
            case Request.SetVringErr(int index, boolean hasFd) -> ring(index).setErr(eventFd(hasFd, fds));
            case Request.SetVringEnable(int index, boolean enabled) ->
                ring(index).setEnabled(enabled);
            case Request.SetBackendReqFd() -> translations.askOn(fds.take());
            case Request.IotlbMsg message -> translate(message);
            case Request.SetDeviceStateFd(int direction, int phase) -> {
                require(VHOST_USER_PROTOCOL_F_DEVICE_STATE);
                channel.reply(transfer.begin(direction, phase, fds));
            }
            case Request.CheckDeviceState() -> {
                require(VHOST_USER_PROTOCOL_F_DEVICE_STATE);
                if (transfer.check()) {
                    channel.reply(transfer.outcome());
                }
            }
            case Request.GetVringBaseSkipDrain(int index) -> {
                require(VHOST_USER_PROTOCOL_F_INFLIGHT_SHMFD);
                require(VHOST_USER_PROTOCOL_F_GET_VRING_BASE_INFLIGHT);
                require(VHOST_USER_PROTOCOL_F_GET_VRING_BASE_SKIP_DRAIN);
                channel.reply(index, ring(index).stop());
            }
            case Request.Unknown(int id) ->
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
        for (RingSlot ring : rings) {
            ring.logBuffers((accepted & mask(VHOST_F_LOG_ALL)) != 0);
        }
        // vhost-user, "Ring states": without VHOST_USER_F_PROTOCOL_FEATURES rings are enabled from the beginning.
        if ((accepted & mask(VHOST_USER_F_PROTOCOL_FEATURES)) == 0) {
            for (RingSlot ring : rings) {
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
        for (RingSlot ring : rings) {
            ring.reset();
        }
        translations.forgetAll();
    }

    private void disableRings() throws ProtocolViolation {
        for (RingSlot ring : rings) {
            ring.setEnabled(false);
        }
    }

    // --- memory ----------------------------------------------------------------------------------------------------

    private void addMemory(Request.MemoryRegion region, ReceivedFds fds) throws ProtocolViolation {
        if (memory.size() == VhostUser.MAX_MEM_SLOTS) {
            throw new ProtocolViolation("memory: more than " + VhostUser.MAX_MEM_SLOTS + " regions");
        }
        changeMemory(memory.plus(region, fds.get(0), policy));
    }

    /** Rings that run go on in the new memory. */
    private void changeMemory(MemoryTable next) {
        for (RingSlot ring : rings) {
            ring.suspend();
        }
        translations.keepThoseOf(memory, next);
        memory.unmapExcept(next);
        memory = next;
        for (RingSlot ring : rings) {
            ring.resume();
        }
    }

    private void setLogBase(long size, long offset, ReceivedFds fds) throws ProtocolViolation {
        if (offset % DirtyLog.ALIGNMENT != 0) {
            throw new ProtocolViolation("dirty log at offset " + Long.toUnsignedString(offset)
                    + ", expected a multiple of " + DirtyLog.ALIGNMENT);
        }
        if (Long.compareUnsigned(size, MOST_LOG_BYTES) > 0) {
            throw new ProtocolViolation(
                    "dirty log of " + Long.toUnsignedString(size) + " bytes, expected at most " + MOST_LOG_BYTES);
        }
        try {
            Mapping log = Mapping.adopt(fds.get(0), offset, size);
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

    private void translate(Request.IotlbMsg message) throws ProtocolViolation {
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

    private void setInflightFd(Request.Inflight given, ReceivedFds fds) throws ProtocolViolation {
        require(VHOST_USER_PROTOCOL_F_INFLIGHT_SHMFD);
        if (!isSuspended()) {
            throw new ProtocolViolation("inflight buffer changed while a ring is started");
        }
        inflight.use(given, fds.get(0), policy.sealedMemoryOnly());
    }

    // --- rings -----------------------------------------------------------------------------------------------------

    private RingSlot ring(int index) throws ProtocolViolation {
        if (index < 0 || index >= rings.length) {
            throw new ProtocolViolation(
                    "ring " + Integer.toUnsignedString(index) + " of a device that has " + rings.length);
        }
        return rings[index];
    }

    private int stop(RingSlot ring) {
        int base = ring.stop();
        forgetTranslationsUnlessUsed();
        return base;
    }

    private void setVringAddr(Request.SetVringAddr addr) throws ProtocolViolation {
        if ((addr.flags() & ~(1 << VHOST_VRING_F_LOG)) != 0) {
            throw new ProtocolViolation("ring flags " + Integer.toHexString(addr.flags()) + ", expected 0 or 1");
        }
        RingSlot ring = ring(addr.index());
        ring.setAddresses(new RingSlot.Addresses(addr.descriptor(), addr.used(), addr.available()));
        ring.logRing((addr.flags() & (1 << VHOST_VRING_F_LOG)) != 0, addr.log());
    }

    private static void setKick(RingSlot ring, EventFd kick) throws ProtocolViolation {
        try {
            ring.setKick(kick);
        } catch (HostFault refused) {
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
