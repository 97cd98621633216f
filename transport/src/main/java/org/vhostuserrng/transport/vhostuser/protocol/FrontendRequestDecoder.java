package org.vhostuserrng.transport.vhostuser.protocol;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import org.vhostuserrng.transport.vhostuser.protocol.FrontendRequest.Inflight;
import org.vhostuserrng.transport.vhostuser.protocol.FrontendRequest.MemoryRegion;
import org.vhostuserrng.transport.vhostuser.protocol.FrontendRequest.UserAddress;

/** Decodes the payloads of a front-end's messages. Stateless. Any thread. */
public final class FrontendRequestDecoder {
    private static final int NO_FDS = 0;
    private static final int REGION_BYTES = 32;
    private static final int REGIONS_OFFSET = 8;

    private FrontendRequestDecoder() {}

    /**
     * Decodes one message.
     *
     * @param id the number of the request, such as VHOST_USER_GET_FEATURES
     * @param payload the payload, whose size is that in the header
     * @param fds the number of descriptors of the message
     * @throws ProtocolViolationException if the size, the number of descriptors or a flag is invalid
     */
    public static FrontendRequest decode(int id, MemorySegment payload, int fds) throws ProtocolViolationException {
        return switch (id) {
            case VhostUserConstants.VHOST_USER_GET_FEATURES -> empty(new FrontendRequest.GetFeatures(), payload, fds);
            case VhostUserConstants.VHOST_USER_SET_FEATURES -> new FrontendRequest.SetFeatures(onlyU64(payload, fds));
            case VhostUserConstants.VHOST_USER_SET_OWNER -> empty(new FrontendRequest.SetOwner(), payload, fds);
            case VhostUserConstants.VHOST_USER_RESET_OWNER -> empty(new FrontendRequest.ResetOwner(), payload, fds);
            case VhostUserConstants.VHOST_USER_SET_MEM_TABLE -> memTable(payload, fds);
            case VhostUserConstants.VHOST_USER_SET_LOG_BASE -> {
                expect(payload, 16, fds, 1);
                yield new FrontendRequest.SetLogBase(u64(payload, 0), u64(payload, 8));
            }
            case VhostUserConstants.VHOST_USER_SET_LOG_FD -> {
                expect(payload, 0, fds, 1);
                yield new FrontendRequest.SetLogFd();
            }
            case VhostUserConstants.VHOST_USER_SET_VRING_NUM -> {
                expect(payload, 8, fds, NO_FDS);
                yield new FrontendRequest.SetVringNum(u32(payload, 0), u32(payload, 4));
            }
            case VhostUserConstants.VHOST_USER_SET_VRING_ADDR -> vringAddr(payload, fds);
            case VhostUserConstants.VHOST_USER_SET_VRING_BASE -> {
                expect(payload, 8, fds, NO_FDS);
                yield new FrontendRequest.SetVringBase(u32(payload, 0), u32(payload, 4));
            }
            case VhostUserConstants.VHOST_USER_GET_VRING_BASE -> {
                expect(payload, 8, fds, NO_FDS);
                yield new FrontendRequest.GetVringBase(u32(payload, 0));
            }
            case VhostUserConstants.VHOST_USER_SET_VRING_KICK -> {
                boolean hasFd = vringFd(payload, fds);
                yield new FrontendRequest.SetVringKick(vringIndex(payload), hasFd);
            }
            case VhostUserConstants.VHOST_USER_SET_VRING_CALL -> {
                boolean hasFd = vringFd(payload, fds);
                yield new FrontendRequest.SetVringCall(vringIndex(payload), hasFd);
            }
            case VhostUserConstants.VHOST_USER_SET_VRING_ERR -> {
                boolean hasFd = vringFd(payload, fds);
                yield new FrontendRequest.SetVringErr(vringIndex(payload), hasFd);
            }
            case VhostUserConstants.VHOST_USER_GET_PROTOCOL_FEATURES ->
                empty(new FrontendRequest.GetProtocolFeatures(), payload, fds);
            case VhostUserConstants.VHOST_USER_SET_PROTOCOL_FEATURES ->
                new FrontendRequest.SetProtocolFeatures(onlyU64(payload, fds));
            case VhostUserConstants.VHOST_USER_GET_QUEUE_NUM -> empty(new FrontendRequest.GetQueueNum(), payload, fds);
            case VhostUserConstants.VHOST_USER_SET_VRING_ENABLE -> {
                expect(payload, 8, fds, NO_FDS);
                yield new FrontendRequest.SetVringEnable(u32(payload, 0), flag(u32(payload, 4)));
            }
            case VhostUserConstants.VHOST_USER_SET_BACKEND_REQ_FD -> {
                expect(payload, 0, fds, 1);
                yield new FrontendRequest.SetBackendReqFd();
            }
            case VhostUserConstants.VHOST_USER_IOTLB_MSG -> {
                expect(payload, VhostUserConstants.IOTLB_MSG_BYTES, fds, NO_FDS);
                yield new FrontendRequest.IotlbMsg(
                        u64(payload, 0),
                        u64(payload, 8),
                        new UserAddress(u64(payload, 16)),
                        u8(payload, 24),
                        u8(payload, 25));
            }
            case VhostUserConstants.VHOST_USER_GET_INFLIGHT_FD ->
                new FrontendRequest.GetInflightFd(inflight(payload, fds, NO_FDS));
            case VhostUserConstants.VHOST_USER_SET_INFLIGHT_FD ->
                new FrontendRequest.SetInflightFd(inflight(payload, fds, 1));
            case VhostUserConstants.VHOST_USER_RESET_DEVICE -> empty(new FrontendRequest.ResetDevice(), payload, fds);
            case VhostUserConstants.VHOST_USER_GET_MAX_MEM_SLOTS ->
                empty(new FrontendRequest.GetMaxMemSlots(), payload, fds);
            case VhostUserConstants.VHOST_USER_ADD_MEM_REG -> {
                expect(payload, REGIONS_OFFSET + REGION_BYTES, fds, 1);
                yield new FrontendRequest.AddMemReg(region(payload, REGIONS_OFFSET));
            }
            case VhostUserConstants.VHOST_USER_REM_MEM_REG -> {
                // vhost-user specifies no descriptor for this request. One is accepted, because some front-ends send
                // it.
                expect(payload, REGIONS_OFFSET + REGION_BYTES, fds, Math.clamp(fds, 0, 1));
                yield new FrontendRequest.RemMemReg(region(payload, REGIONS_OFFSET));
            }
            case VhostUserConstants.VHOST_USER_SET_STATUS -> new FrontendRequest.SetStatus(onlyU64(payload, fds));
            case VhostUserConstants.VHOST_USER_GET_STATUS -> empty(new FrontendRequest.GetStatus(), payload, fds);
            case VhostUserConstants.VHOST_USER_SET_DEVICE_STATE_FD -> {
                expect(payload, 8, fds, 1);
                yield new FrontendRequest.SetDeviceStateFd(u32(payload, 0), u32(payload, 4));
            }
            case VhostUserConstants.VHOST_USER_CHECK_DEVICE_STATE ->
                empty(new FrontendRequest.CheckDeviceState(), payload, fds);
            case VhostUserConstants.VHOST_USER_GET_VRING_BASE_SKIP_DRAIN -> {
                expect(payload, 8, fds, NO_FDS);
                yield new FrontendRequest.GetVringBaseSkipDrain(u32(payload, 0));
            }
            default -> new FrontendRequest.Unknown(id);
        };
    }

    private static FrontendRequest memTable(MemorySegment payload, int fds) throws ProtocolViolationException {
        if (payload.byteSize() < REGIONS_OFFSET) {
            throw new ProtocolViolationException(
                    "memory table of " + payload.byteSize() + " bytes, expected at least " + REGIONS_OFFSET);
        }
        int count = u32(payload, 0);
        if (count < 1 || count > VhostUserConstants.MAX_REGIONS) {
            throw new ProtocolViolationException("memory table of " + Integer.toUnsignedString(count)
                    + " regions, expected 1 to " + VhostUserConstants.MAX_REGIONS
                    + (count == 0 ? "; is the memory of the guest shared (QEMU: share=on)?" : ""));
        }
        // Some front-ends send an array of fixed size, of which only the first "num regions" elements are valid. The
        // rest is ignored.
        int size = REGIONS_OFFSET + count * REGION_BYTES;
        if (payload.byteSize() < size) {
            throw new ProtocolViolationException(
                    "payload of " + payload.byteSize() + " bytes, expected at least " + size);
        }
        expectFds(fds, count);
        List<MemoryRegion> regions = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            regions.add(region(payload, REGIONS_OFFSET + (long) i * REGION_BYTES));
        }
        return new FrontendRequest.SetMemTable(regions);
    }

    private static MemoryRegion region(MemorySegment payload, long at) {
        return new MemoryRegion(
                u64(payload, at), u64(payload, at + 8), new UserAddress(u64(payload, at + 16)), u64(payload, at + 24));
    }

    private static FrontendRequest vringAddr(MemorySegment payload, int fds) throws ProtocolViolationException {
        expect(payload, 40, fds, NO_FDS);
        return new FrontendRequest.SetVringAddr(
                u32(payload, 0),
                u32(payload, 4),
                new UserAddress(u64(payload, 8)),
                new UserAddress(u64(payload, 16)),
                new UserAddress(u64(payload, 24)),
                u64(payload, 32));
    }

    private static Inflight inflight(MemorySegment payload, int fds, int expectedFds)
            throws ProtocolViolationException {
        int bytes = (int) payload.byteSize();
        // vhost-user specifies 20 bytes, but front-ends send the C struct, which is padded to 24 bytes.
        if (bytes != VhostUserConstants.INFLIGHT_BYTES) {
            expectSize(payload, VhostUserConstants.INFLIGHT_STRUCT_BYTES);
        }
        expectFds(fds, expectedFds);
        return new Inflight(u64(payload, 0), u64(payload, 8), u16(payload, 16), u16(payload, 18), bytes);
    }

    /** Validates the payload of SET_VRING_KICK, CALL or ERR. Returns whether the message has a descriptor. */
    private static boolean vringFd(MemorySegment payload, int fds) throws ProtocolViolationException {
        expectSize(payload, 8);
        boolean hasFd = (u64(payload, 0) & VhostUserConstants.VRING_NOFD_MASK) == 0;
        expectFds(fds, hasFd ? 1 : 0);
        return hasFd;
    }

    private static int vringIndex(MemorySegment payload) {
        return (int) u64(payload, 0) & VhostUserConstants.VRING_IDX_MASK;
    }

    private static boolean flag(int value) throws ProtocolViolationException {
        return switch (value) {
            case 0 -> false;
            case 1 -> true;
            default -> throw new ProtocolViolationException("expected 0 or 1, got " + Integer.toUnsignedString(value));
        };
    }

    private static FrontendRequest empty(FrontendRequest request, MemorySegment payload, int fds)
            throws ProtocolViolationException {
        expect(payload, 0, fds, NO_FDS);
        return request;
    }

    private static long onlyU64(MemorySegment payload, int fds) throws ProtocolViolationException {
        expect(payload, 8, fds, NO_FDS);
        return u64(payload, 0);
    }

    private static void expect(MemorySegment payload, int size, int fds, int expectedFds)
            throws ProtocolViolationException {
        expectSize(payload, size);
        expectFds(fds, expectedFds);
    }

    private static void expectSize(MemorySegment payload, int size) throws ProtocolViolationException {
        if (payload.byteSize() != size) {
            throw new ProtocolViolationException("payload of " + payload.byteSize() + " bytes, expected " + size);
        }
    }

    private static void expectFds(int fds, int expected) throws ProtocolViolationException {
        if (fds != expected) {
            throw new ProtocolViolationException(fds + " descriptors, expected " + expected);
        }
    }

    private static int u8(MemorySegment payload, long at) {
        return Byte.toUnsignedInt(payload.get(ValueLayout.JAVA_BYTE, at));
    }

    private static int u16(MemorySegment payload, long at) {
        return Short.toUnsignedInt(payload.get(ValueLayout.JAVA_SHORT_UNALIGNED, at));
    }

    private static int u32(MemorySegment payload, long at) {
        return payload.get(ValueLayout.JAVA_INT_UNALIGNED, at);
    }

    private static long u64(MemorySegment payload, long at) {
        return payload.get(ValueLayout.JAVA_LONG_UNALIGNED, at);
    }
}
