package org.vhostuserrng.transport.vhostuser.session;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import org.vhostuserrng.transport.memory.Iotlb;
import org.vhostuserrng.transport.vhostuser.journal.InvalidJournalException;
import org.vhostuserrng.transport.vhostuser.protocol.FrontendRequest;
import org.vhostuserrng.transport.vhostuser.protocol.FrontendRequest.UserAddress;
import org.vhostuserrng.transport.vhostuser.session.SessionSnapshot.DirtyLogSnapshot;

/**
 * Encodes and decodes the state in a {@link org.vhostuserrng.transport.vhostuser.journal.SessionJournal}: the fields of
 * {@link CommittedSession} and {@link SessionSnapshot} in order, little-endian. A boolean is a byte, a list begins with
 * its length (u32), and an optional value with a boolean.
 */
final class SessionSnapshotCodec {
    private static final int MAX_LIST_LENGTH = 1 << 16;
    /** Upper bound of the size of all fields except strings and lists. */
    private static final int FIXED_BYTES = 1024;

    private static final int REGION_BYTES = 40;
    private static final int VRING_BYTES = 128;
    private static final int IOTLB_ENTRY_BYTES = 28;

    /**
     * The state of a session, and its last message and reply, which the next process may have to complete.
     *
     * @param endpoint identifies the socket that serves the guest
     * @param messageBytes length in bytes of the last message, which may not have been received yet
     * @param replyBytes length in bytes of its reply, which may not have been sent yet
     * @param replyFd the ID of the descriptor to send with the reply, or {@link SessionSnapshot#NO_FD}
     * @param lastFd the largest ID of a descriptor so far
     */
    record CommittedSession(
            String endpoint, int messageBytes, int replyBytes, long replyFd, long lastFd, SessionSnapshot session) {}

    private SessionSnapshotCodec() {}

    static byte[] encode(CommittedSession committed) {
        SessionSnapshot session = committed.session();
        byte[] endpoint = committed.endpoint().getBytes(StandardCharsets.UTF_8);
        byte[] guest = session.guest().getBytes(StandardCharsets.UTF_8);
        ByteBuffer out = ByteBuffer.allocate(FIXED_BYTES
                        + endpoint.length
                        + guest.length
                        + session.memory().size() * REGION_BYTES
                        + session.vrings().size() * VRING_BYTES
                        + session.iotlb().size() * IOTLB_ENTRY_BYTES)
                .order(ByteOrder.LITTLE_ENDIAN);
        out.putInt(endpoint.length).put(endpoint);
        out.putInt(committed.messageBytes()).putInt(committed.replyBytes());
        out.putLong(committed.replyFd()).putLong(committed.lastFd());
        out.putInt(guest.length).put(guest);
        out.putLong(session.features()).putLong(session.protocolFeatures());
        put(out, session.protocolFeaturesSet());
        put(out, session.featuresRefused());
        out.putLong(session.status());
        out.putInt(session.memory().size());
        for (int i = 0; i < session.memory().size(); i++) {
            FrontendRequest.MemoryRegion region = session.memory().get(i);
            out.putLong(region.guestAddress()).putLong(region.size());
            out.putLong(region.userAddress().value()).putLong(region.mmapOffset());
            out.putLong(session.memoryFds().get(i));
        }
        out.putInt(session.vrings().size());
        for (VringSnapshot vring : session.vrings()) {
            put(out, vring);
        }
        DirtyLogSnapshot log = session.dirtyLog();
        out.putLong(log.size()).putLong(log.offset()).putLong(log.fd()).putLong(log.listenerFd());
        put(out, session.inflight());
        out.putLong(session.inflightFd()).putLong(session.backendChannelFd());
        put(out, session.checkPending());
        out.putInt(session.iotlb().size());
        for (Iotlb.Entry entry : session.iotlb()) {
            out.putLong(entry.first()).putLong(entry.last()).putLong(entry.guestAddress());
            out.putInt(entry.permissions());
        }
        byte[] state = new byte[out.position()];
        out.get(0, state);
        return state;
    }

    private static void put(ByteBuffer out, boolean value) {
        out.put((byte) (value ? 1 : 0));
    }

    private static void put(ByteBuffer out, VringSnapshot vring) {
        out.putInt(vring.index()).putInt(code(vring.state()));
        out.putInt(vring.base()).putInt(vring.size());
        put(out, vring.addresses() != null);
        if (vring.addresses() != null) {
            out.putLong(vring.addresses().descriptor().value());
            out.putLong(vring.addresses().used().value());
            out.putLong(vring.addresses().available().value());
        }
        put(out, vring.enabled());
        put(out, vring.baseSet());
        put(out, vring.polled());
        out.putLong(vring.runs());
        put(out, vring.kicked());
        out.putLong(vring.kickFd()).putLong(vring.callFd()).putLong(vring.errFd());
        put(out, vring.buffersLogged());
        put(out, vring.ringLogAddress().isPresent());
        out.putLong(vring.ringLogAddress().orElse(0));
    }

    private static void put(ByteBuffer out, FrontendRequest.Inflight inflight) {
        put(out, inflight != null);
        if (inflight != null) {
            out.putLong(inflight.mmapSize()).putLong(inflight.mmapOffset());
            out.putInt(inflight.numQueues()).putInt(inflight.queueSize()).putInt(inflight.bytes());
        }
    }

    /**
     * Decodes a state.
     *
     * @throws InvalidJournalException if {@link #encode} cannot have encoded the state
     */
    static CommittedSession decode(byte[] state) throws InvalidJournalException {
        ByteBuffer in = ByteBuffer.wrap(state).order(ByteOrder.LITTLE_ENDIAN);
        try {
            CommittedSession committed = new CommittedSession(
                    getString(in), in.getInt(), in.getInt(), in.getLong(), in.getLong(), getSession(in));
            if (in.hasRemaining()) {
                throw new InvalidJournalException("journal: " + in.remaining() + " bytes too many");
            }
            return committed;
        } catch (BufferUnderflowException tooShort) {
            throw new InvalidJournalException("journal: state of " + state.length + " bytes is too short");
        }
    }

    private static SessionSnapshot getSession(ByteBuffer in) throws InvalidJournalException {
        String guest = getString(in);
        long features = in.getLong();
        long protocolFeatures = in.getLong();
        boolean protocolFeaturesSet = getBoolean(in);
        boolean featuresRefused = getBoolean(in);
        long status = in.getLong();
        List<FrontendRequest.MemoryRegion> memory = new ArrayList<>();
        List<Long> memoryFds = new ArrayList<>();
        for (int left = getLength(in); left > 0; left--) {
            memory.add(new FrontendRequest.MemoryRegion(
                    in.getLong(), in.getLong(), new UserAddress(in.getLong()), in.getLong()));
            memoryFds.add(in.getLong());
        }
        List<VringSnapshot> vrings = new ArrayList<>();
        for (int left = getLength(in); left > 0; left--) {
            vrings.add(getVring(in));
        }
        return new SessionSnapshot(
                guest,
                features,
                protocolFeatures,
                protocolFeaturesSet,
                featuresRefused,
                status,
                memory,
                memoryFds,
                vrings,
                new DirtyLogSnapshot(in.getLong(), in.getLong(), in.getLong(), in.getLong()),
                getInflight(in),
                in.getLong(),
                in.getLong(),
                getBoolean(in),
                getIotlb(in));
    }

    private static VringSnapshot getVring(ByteBuffer in) throws InvalidJournalException {
        int index = in.getInt();
        VringState state = getState(in);
        int base = in.getInt();
        int size = in.getInt();
        VringAddresses addresses = getBoolean(in)
                ? new VringAddresses(
                        new UserAddress(in.getLong()), new UserAddress(in.getLong()), new UserAddress(in.getLong()))
                : null;
        boolean enabled = getBoolean(in);
        boolean baseSet = getBoolean(in);
        boolean polled = getBoolean(in);
        long runs = in.getLong();
        boolean kicked = getBoolean(in);
        long kickFd = in.getLong();
        long callFd = in.getLong();
        long errFd = in.getLong();
        boolean buffersLogged = getBoolean(in);
        boolean ringLogged = getBoolean(in);
        long ringLogAddress = in.getLong();
        return new VringSnapshot(
                index,
                state,
                base,
                size,
                addresses,
                enabled,
                baseSet,
                polled,
                runs,
                kicked,
                kickFd,
                callFd,
                errFd,
                buffersLogged,
                ringLogged ? OptionalLong.of(ringLogAddress) : OptionalLong.empty());
    }

    private static int code(VringState state) {
        return switch (state) {
            case STOPPED -> 0;
            case STARTED -> 1;
            case BROKEN -> 2;
        };
    }

    private static VringState getState(ByteBuffer in) throws InvalidJournalException {
        int code = in.getInt();
        return switch (code) {
            case 0 -> VringState.STOPPED;
            case 1 -> VringState.STARTED;
            case 2 -> VringState.BROKEN;
            default -> throw new InvalidJournalException("journal: vring state " + Integer.toUnsignedString(code));
        };
    }

    private static FrontendRequest.Inflight getInflight(ByteBuffer in) throws InvalidJournalException {
        return getBoolean(in)
                ? new FrontendRequest.Inflight(in.getLong(), in.getLong(), in.getInt(), in.getInt(), in.getInt())
                : null;
    }

    private static List<Iotlb.Entry> getIotlb(ByteBuffer in) throws InvalidJournalException {
        List<Iotlb.Entry> entries = new ArrayList<>();
        for (int left = getLength(in); left > 0; left--) {
            entries.add(new Iotlb.Entry(in.getLong(), in.getLong(), in.getLong(), in.getInt()));
        }
        return entries;
    }

    private static String getString(ByteBuffer in) throws InvalidJournalException {
        byte[] text = new byte[getLength(in)];
        in.get(text);
        return new String(text, StandardCharsets.UTF_8);
    }

    private static int getLength(ByteBuffer in) throws InvalidJournalException {
        int length = in.getInt();
        if (length < 0 || length > MAX_LIST_LENGTH) {
            throw new InvalidJournalException("journal: list of length " + Integer.toUnsignedString(length));
        }
        return length;
    }

    private static boolean getBoolean(ByteBuffer in) throws InvalidJournalException {
        return switch (in.get()) {
            case 0 -> false;
            case 1 -> true;
            default -> throw new InvalidJournalException("journal: a boolean that is neither 0 nor 1");
        };
    }
}
