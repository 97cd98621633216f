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
import org.vhostuserrng.libc.OwnedFd;
import org.vhostuserrng.transport.loop.EventLoop;
import org.vhostuserrng.transport.sys.EventFd;
import org.vhostuserrng.transport.sys.FuzzedSocketPeer;
import org.vhostuserrng.transport.sys.MemoryMapping;
import org.vhostuserrng.transport.sys.SealedMemfd;
import org.vhostuserrng.transport.vhostuser.VhostUserOptions;
import org.vhostuserrng.transport.vhostuser.session.GuestContext;
import org.vhostuserrng.transport.vhostuser.session.VhostUserSession;

/**
 * Fuzzes a session: a front-end and its guest send arbitrary messages, kick, write to shared memory and disconnect, in
 * any order. The daemon must not log an exception as a bug ({@link StrictSlf4jProvider}). After the session, all its
 * descriptors must be closed and its memory unmapped.
 *
 * <p>Input: three bytes of options (memory slots, sealed memory only, flags), then steps that begin with an opcode
 * byte:
 *
 * <ul>
 * <li>below {@link #MESSAGE}: sends a message; bytes with id, flags and number of descriptors follow, then a byte with
 *       the kind of each descriptor, a byte with the payload's length, and the payload
 *   <li>below {@link #WRITE}: writes to the shared file; a 16-bit offset, a byte with the length and the bytes follow
 *   <li>below {@link #KICK}: kicks
 *   <li>below {@link #RAW}: sends raw bytes to the socket; a byte with the length and the bytes follow
 *   <li>else: closes the pipe and opens another one
 * </ul>
 */
public final class SessionFuzzTarget {
    static final int MESSAGE = 128;
    static final int WRITE = 192;
    static final int KICK = 224;
    static final int RAW = 248;

    // Kinds of descriptors.
    static final int FILE = 0;
    static final int KICK_FD = 1;
    static final int CALL_FD = 2;
    static final int SOCKET = 3;
    static final int PIPE_OUT = 4;
    static final int PIPE_IN = 5;

    private static final int FLAG_ACCESS_PLATFORM = 1;
    private static final int FLAG_BUSY_POLL = 2;
    private static final long BUSY_POLL_NANOS = 5_000_000;

    static final int FILE_BYTES = 1 << 16;

    private static final int MAX_FDS = 10;
    private static final int MAX_ITERATIONS = 20;
    /** Every 256th input checks for leaked mappings, because the check takes as long as a hundred inputs. */
    private static final int MAPPING_CHECK_INTERVAL = 256;

    private static int inputs;

    private final FuzzedSocketPeer peer = FuzzedSocketPeer.connect();
    private final EventFd kick = EventFd.create();
    private final EventFd call = EventFd.create();
    private final FuzzedSocketPeer backendChannel = FuzzedSocketPeer.connect();
    private final OwnedFd file = SealedMemfd.create("fuzzed", FILE_BYTES);
    private final MemoryMapping memory = MemoryMapping.map(file, 0, FILE_BYTES).open();
    /** The descriptors to send, by kind. */
    private final OwnedFd[] fds;

    private final EventLoop loop;
    private boolean ended;

    private SessionFuzzTarget() throws IOException {
        OwnedFd[] pipe = FuzzedSocketPeer.pipe();
        fds = new OwnedFd[] {file, kick.fd(), call.fd(), backendChannel.testedEnd(), pipe[1], pipe[0]};
        long[] now = new long[1];
        // Each call of the clock advances the time by 1 ms, so that all timers expire.
        loop = EventLoop.open(() -> now[0] += 1_000_000);
    }

    /** Called by Jazzer. */
    public static void fuzzerTestOneInput(byte[] input) throws IOException {
        requestsServed(input);
    }

    /** Runs an input, and returns the number of requests that the device served. */
    static long requestsServed(byte[] input) throws IOException {
        List<String> before = FuzzedSocketPeer.openFds();
        SessionFuzzTarget target = new SessionFuzzTarget();
        FuzzedRngDevice guest = new FuzzedRngDevice();
        try {
            target.run(new FuzzInputReader(input), guest.device);
        } finally {
            target.close();
        }
        require(before.equals(FuzzedSocketPeer.openFds()), "leaked descriptors");
        if (inputs++ % MAPPING_CHECK_INTERVAL == 0) {
            require(!FuzzedSocketPeer.isMapped("memfd:fuzzed"), "leaked a mapping");
        }
        return guest.device.counters().snapshot().requests();
    }

    private void run(FuzzInputReader input, VirtioRngDevice device) throws IOException {
        boolean memSlots = input.flag();
        boolean sealedMemoryOnly = input.flag();
        int flags = input.u8();
        VhostUserOptions options = new VhostUserOptions(
                memSlots,
                sealedMemoryOnly,
                VhostUserOptions.DEFAULT.maxMemoryBytes(),
                (flags & FLAG_ACCESS_PLATFORM) != 0,
                (flags & FLAG_BUSY_POLL) != 0 ? BUSY_POLL_NANOS : 0);
        GuestContext guest = GuestContext.create(loop, device, options, Runnable::run);
        VhostUserSession session = VhostUserSession.open(guest, peer.stream(), () -> ended = true);
        try {
            while (input.hasMore() && !ended) {
                step(input);
                runLoop();
            }
            peer.shutDown();
            runLoop();
            require(ended, "the session outlives its connection");
        } finally {
            session.close();
        }
    }

    private void step(FuzzInputReader input) throws IOException {
        int opcode = input.u8();
        if (opcode < MESSAGE) {
            sendMessage(input);
        } else if (opcode < WRITE) {
            int offset = input.u16();
            byte[] written = input.bytes(input.u8());
            int length = Math.min(written.length, FILE_BYTES - offset);
            MemorySegment.copy(written, 0, memory.segment(), ValueLayout.JAVA_BYTE, offset, length);
        } else if (opcode < KICK) {
            kick.signal();
        } else if (opcode < RAW) {
            send(input.bytes(input.u8()), List.of());
        } else {
            renewPipe();
        }
    }

    private void sendMessage(FuzzInputReader input) {
        int id = input.u8();
        int flags = input.u8();
        List<OwnedFd> passed = new ArrayList<>();
        for (int i = input.u8() % MAX_FDS; i > 0; i--) {
            passed.add(fds[input.u8() % fds.length]);
        }
        byte[] payload = input.bytes(input.u8());
        ByteBuffer message =
                ByteBuffer.allocate(3 * Integer.BYTES + payload.length).order(ByteOrder.nativeOrder());
        message.putInt(id).putInt(flags).putInt(payload.length).put(payload);
        send(message.array(), passed);
    }

    private void renewPipe() throws IOException {
        OwnedFd[] pipe = FuzzedSocketPeer.pipe();
        fds[PIPE_OUT].close();
        fds[PIPE_IN].close();
        fds[PIPE_OUT] = pipe[1];
        fds[PIPE_IN] = pipe[0];
    }

    private void send(byte[] bytes, List<OwnedFd> passed) {
        if (bytes.length > 0) {
            peer.send(bytes, passed);
        }
    }

    /**
     * Runs the loop until it is idle. The number of iterations is limited, because a ring without kick descriptor is
     * polled.
     */
    private void runLoop() throws IOException {
        for (int i = 0; i < MAX_ITERATIONS && loop.doWork() > 0; i++) {
            peer.discard();
            backendChannel.discard();
        }
        peer.discard();
    }

    private void close() {
        loop.close();
        memory.close();
        for (OwnedFd fd : fds) {
            fd.close();
        }
        peer.close();
        backendChannel.close();
    }
}
