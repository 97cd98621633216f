package org.vhostuserrng.device.rng;

import static org.vhostuserrng.fuzz.FuzzAssertions.require;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.vhostuserrng.fuzz.FuzzInputReader;
import org.vhostuserrng.fuzz.StrictSlf4jProvider;
import org.vhostuserrng.transport.loop.EventLoop;
import org.vhostuserrng.transport.sys.EventFd;
import org.vhostuserrng.transport.sys.FuzzedSocketPeer;
import org.vhostuserrng.transport.sys.MemoryMapping;
import org.vhostuserrng.transport.sys.OwnedFd;
import org.vhostuserrng.transport.sys.SealedMemfd;
import org.vhostuserrng.transport.vhostuser.VhostUserOptions;
import org.vhostuserrng.transport.vhostuser.session.GuestContext;
import org.vhostuserrng.transport.vhostuser.session.VhostUserSession;

/**
 * A front-end and its guest that do anything, in any order, with a whole session: messages, kicks, writes to the shared
 * memory, the end of the connection. Whatever they do is no bug of ours ({@link StrictSlf4jProvider} sees to that), and when the
 * session has ended all its descriptors are closed and its memory is unmapped.
 *
 * <p>As bytes: three u8 of what the operator wants; then steps, each an u8 and, below {@link #MESSAGE}, a message: its id as an u8, flags as an u8, descriptors as an
 * u8 and their kinds, u8 of the payload's length, the payload; below {@link #WRITE} an u16 of a place in the shared file,
 * an u8 and so many bytes for it; below {@link #KICK} a kick; below {@link #RAW} bytes for the socket as they are, an u8 of
 * them; else the pipe is closed and there is a new one.
 */
public final class SessionFuzzTarget {
    static final int MESSAGE = 128;
    static final int WRITE = 192;
    static final int KICK = 224;
    static final int RAW = 248;

    static final int FILE = 0;
    static final int KICK_FD = 1;
    static final int CALL_FD = 2;
    static final int SOCKET = 3;
    static final int PIPE_OUT = 4;
    static final int PIPE_IN = 5;

    private static final int ACCESS_PLATFORM = 1;
    private static final int LOOK = 2;
    private static final long LOOK_NANOS = 5_000_000;

    static final int FILE_BYTES = 1 << 16;

    private static final int MOST_FDS = 10;
    private static final int MOST_TURNS = 20;
    /** Every so many inputs: to look costs as much as a hundred of them. */
    private static final int LOOK_AT_MAPPINGS = 256;

    private static int inputs;

    private final FuzzedSocketPeer peer = FuzzedSocketPeer.connect();
    private final EventFd kick = EventFd.create();
    private final EventFd call = EventFd.create();
    private final FuzzedSocketPeer channel = FuzzedSocketPeer.connect();
    private final OwnedFd file = SealedMemfd.create("fuzzed", FILE_BYTES);
    private final MemoryMapping memory = MemoryMapping.of(file, 0, FILE_BYTES);
    private final OwnedFd[] kinds;
    private final EventLoop loop;
    private boolean over;

    private SessionFuzzTarget() throws IOException {
        OwnedFd[] pipe = FuzzedSocketPeer.pipe();
        kinds = new OwnedFd[] {file, kick.fd(), call.fd(), channel.otherEnd(), pipe[1], pipe[0]};
        long[] now = new long[1];
        // Each look at the clock takes a millisecond: what waits for a time gets its turn.
        loop = EventLoop.open(() -> now[0] += 1_000_000);
    }

    /** Called by Jazzer. */
    public static void fuzzerTestOneInput(byte[] input) throws IOException {
        served(input);
    }

    /** How many of the guest's requests were served. */
    static long served(byte[] input) throws IOException {
        List<String> before = FuzzedSocketPeer.openFds();
        SessionFuzzTarget target = new SessionFuzzTarget();
        FuzzedRngDevice guest = new FuzzedRngDevice();
        try {
            target.run(new FuzzInputReader(input), guest.device);
        } finally {
            target.close();
        }
        require(before.equals(FuzzedSocketPeer.openFds()), "descriptors stay open");
        if (inputs++ % LOOK_AT_MAPPINGS == 0) {
            require(!FuzzedSocketPeer.isMapped("memfd:fuzzed"), "memory stays mapped");
        }
        return guest.device.counters().snapshot().requests();
    }

    private void run(FuzzInputReader input, VirtioRngDevice device) throws IOException {
        boolean memSlots = input.flag();
        boolean sealedMemoryOnly = input.flag();
        int flags = input.u8();
        VhostUserOptions policy = new VhostUserOptions(
                memSlots,
                sealedMemoryOnly,
                VhostUserOptions.DEFAULT.mostMemory(),
                (flags & ACCESS_PLATFORM) != 0,
                (flags & LOOK) != 0 ? LOOK_NANOS : 0);
        GuestContext guest = GuestContext.of(loop, device, policy, Runnable::run);
        VhostUserSession session = VhostUserSession.open(guest, peer.stream(), () -> over = true);
        try {
            while (input.hasMore() && !over) {
                step(input);
                settle();
            }
            peer.shutDown();
            settle();
            require(over, "the session survives its connection");
        } finally {
            session.close();
        }
    }

    private void step(FuzzInputReader input) throws IOException {
        int kind = input.u8();
        if (kind < MESSAGE) {
            sendMessage(input);
        } else if (kind < WRITE) {
            int at = input.u16();
            byte[] written = input.bytes(input.u8());
            int length = Math.min(written.length, FILE_BYTES - at);
            MemorySegment.copy(written, 0, memory.segment(), ValueLayout.JAVA_BYTE, at, length);
        } else if (kind < KICK) {
            kick.signal();
        } else if (kind < RAW) {
            send(input.bytes(input.u8()), List.of());
        } else {
            renewPipe();
        }
    }

    private void sendMessage(FuzzInputReader input) {
        int id = input.u8();
        int flags = input.u8();
        List<OwnedFd> fds = new ArrayList<>();
        for (int i = input.u8() % MOST_FDS; i > 0; i--) {
            fds.add(kinds[input.u8() % kinds.length]);
        }
        byte[] payload = input.bytes(input.u8());
        ByteBuffer message =
                ByteBuffer.allocate(3 * Integer.BYTES + payload.length).order(ByteOrder.nativeOrder());
        message.putInt(id).putInt(flags).putInt(payload.length).put(payload);
        send(message.array(), fds);
    }

    private void renewPipe() throws IOException {
        OwnedFd[] pipe = FuzzedSocketPeer.pipe();
        kinds[PIPE_OUT].close();
        kinds[PIPE_IN].close();
        kinds[PIPE_OUT] = pipe[1];
        kinds[PIPE_IN] = pipe[0];
    }

    private void send(byte[] bytes, List<OwnedFd> fds) {
        if (bytes.length > 0) {
            peer.send(bytes, fds);
        }
    }

    /** Gives turns until nobody wants one now; a ring without a kick descriptor would want one for ever. */
    private void settle() throws IOException {
        for (int turn = 0; turn < MOST_TURNS && loop.doWork() > 0; turn++) {
            peer.discard();
            channel.discard();
        }
        peer.discard();
    }

    private void close() {
        loop.close();
        memory.close();
        for (OwnedFd fd : kinds) {
            fd.close();
        }
        peer.close();
        channel.close();
    }
}
