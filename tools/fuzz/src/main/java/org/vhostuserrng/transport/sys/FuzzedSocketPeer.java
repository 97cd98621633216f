package org.vhostuserrng.transport.sys;

import java.io.File;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.vhostuserrng.libc.Errno;
import org.vhostuserrng.libc.ErrnoException;
import org.vhostuserrng.libc.Libc;
import org.vhostuserrng.libc.OwnedFd;
import org.vhostuserrng.libc.PipePair;

/** The peer of a {@link UnixStreamSocket} under test. It sends arbitrary bytes with any number of descriptors. */
public final class FuzzedSocketPeer implements AutoCloseable {
    private static final MemorySegment SOCKETPAIR = Libc.symbol("socketpair");
    private static final MemorySegment SENDMSG = Libc.symbol("sendmsg");
    private static final MemorySegment SHUTDOWN = Libc.symbol("shutdown");
    private static final int AF_UNIX = 1;
    private static final int SOCK_STREAM = 1;
    private static final int NONBLOCK = 0x800;
    private static final int CLOEXEC = 0x80000;
    private static final int SHUT_WR = 1;
    private static final int MSG_NOSIGNAL = 0x4000;
    private static final int SOL_SOCKET = 1;
    private static final int SCM_RIGHTS = 1;

    // Offsets in struct msghdr, struct iovec and struct cmsghdr; see UnixStreamSocket.
    private static final long IOV = 16;
    private static final long IOVLEN = 24;
    private static final long CONTROL = 32;
    private static final long CONTROLLEN = 40;
    private static final long MSGHDR_BYTES = 56;
    private static final long IOVEC_BYTES = 16;
    private static final long CMSG_LEVEL = 8;
    private static final long CMSG_TYPE = 12;
    private static final long CMSG_DATA = 16;
    private static final int MAX_RECEIVE_BYTES = 4096;

    private final UnixStreamSocket own;
    private final OwnedFd tested;

    private FuzzedSocketPeer(UnixStreamSocket own, OwnedFd tested) {
        this.own = own;
        this.tested = tested;
    }

    /** Opens a connection between this peer and the socket under test. */
    public static FuzzedSocketPeer connect() throws ErrnoException {
        OwnedFd[] ends = pair("socketpair", SOCKETPAIR, AF_UNIX, SOCK_STREAM | NONBLOCK | CLOEXEC, 0);
        return new FuzzedSocketPeer(new UnixStreamSocket(ends[0]), ends[1]);
    }

    /** Opens a pipe; returns its read end and its write end. */
    public static OwnedFd[] pipe() throws ErrnoException {
        try (PipePair pipe = PipePair.open(OwnedFd.O_NONBLOCK)) {
            return new OwnedFd[] {pipe.takeReadEnd(), pipe.takeWriteEnd()};
        }
    }

    private static OwnedFd[] pair(String name, MemorySegment call, int domain, int type, int protocol)
            throws ErrnoException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment ends = arena.allocate(2L * Integer.BYTES);
            ErrnoException.check(name, Libc.callInt(call, domain, type, protocol, ends.address(), 0));
            return owned(ends);
        }
    }

    private static OwnedFd[] owned(MemorySegment ends) {
        return new OwnedFd[] {
            new OwnedFd(ends.get(ValueLayout.JAVA_INT, 0)), new OwnedFd(ends.get(ValueLayout.JAVA_INT, Integer.BYTES))
        };
    }

    /** Returns the socket under test. Must be called only once, because the socket owns the descriptor. */
    public UnixStreamSocket stream() {
        return new UnixStreamSocket(tested);
    }

    /** Returns the descriptor of the socket under test. */
    public OwnedFd testedEnd() {
        return tested;
    }

    /** Returns the numbers of this process's open descriptors, sorted. */
    public static List<String> openFds() {
        String[] numbers = new File("/proc/self/fd").list();
        Arrays.sort(numbers);
        return List.of(numbers);
    }

    /** Whether this process maps a file whose name contains {@code name}. */
    public static boolean isMapped(String name) throws IOException {
        try (Stream<String> mappings = Files.lines(Path.of("/proc/self/maps"))) {
            return mappings.anyMatch(mapping -> mapping.contains(name));
        }
    }

    /**
     * Sends bytes, at least one, with descriptors attached to the first byte.
     *
     * @return the number of bytes sent; 0 if the send buffer is full
     */
    public int send(byte[] bytes, List<OwnedFd> fds) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment data = arena.allocateFrom(ValueLayout.JAVA_BYTE, bytes);
            MemorySegment vector = arena.allocate(IOVEC_BYTES, Long.BYTES);
            vector.set(ValueLayout.JAVA_LONG, 0, data.address());
            vector.set(ValueLayout.JAVA_LONG, Long.BYTES, bytes.length);
            MemorySegment message = arena.allocate(MSGHDR_BYTES, Long.BYTES);
            message.set(ValueLayout.JAVA_LONG, IOV, vector.address());
            message.set(ValueLayout.JAVA_LONG, IOVLEN, 1);
            if (!fds.isEmpty()) {
                MemorySegment control = rights(arena, fds);
                message.set(ValueLayout.JAVA_LONG, CONTROL, control.address());
                message.set(ValueLayout.JAVA_LONG, CONTROLLEN, control.byteSize());
            }
            long sent = Libc.callLong(SENDMSG, own.fd().number(), message.address(), MSG_NOSIGNAL, 0, 0, 0);
            return (int) Math.max(sent, 0);
        }
    }

    private static MemorySegment rights(Arena arena, List<OwnedFd> fds) {
        long length = CMSG_DATA + (long) fds.size() * Integer.BYTES;
        MemorySegment control = arena.allocate((length + Long.BYTES - 1) / Long.BYTES * Long.BYTES, Long.BYTES);
        control.set(ValueLayout.JAVA_LONG, 0, length);
        control.set(ValueLayout.JAVA_INT, CMSG_LEVEL, SOL_SOCKET);
        control.set(ValueLayout.JAVA_INT, CMSG_TYPE, SCM_RIGHTS);
        for (int i = 0; i < fds.size(); i++) {
            control.set(
                    ValueLayout.JAVA_INT,
                    CMSG_DATA + (long) i * Integer.BYTES,
                    fds.get(i).number());
        }
        return control;
    }

    /** Shuts down this peer's end for writing. */
    public void shutDown() {
        int result = Libc.callInt(SHUTDOWN, own.fd().number(), SHUT_WR, 0, 0, 0);
        assert result == 0 : "shutdown: " + result;
    }

    /** Discards all bytes that this peer has received; returns their number. */
    public int discard() {
        return discard(own);
    }

    /** Discards all bytes and descriptors that a socket has received; returns the number of bytes. */
    public static int discard(UnixStreamSocket stream) {
        List<OwnedFd> fds = new ArrayList<>();
        int discarded = 0;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment target = arena.allocate(MAX_RECEIVE_BYTES);
            int received = stream.receive(target, fds);
            // EINVAL: there were too many descriptors. The number of bytes received with them is unknown.
            while (received > 0 || received == -Errno.EINVAL) {
                discarded += Math.max(received, 0);
                received = stream.receive(target, fds);
            }
        }
        fds.forEach(OwnedFd::close);
        return discarded;
    }

    @Override
    public void close() {
        own.close();
    }
}
