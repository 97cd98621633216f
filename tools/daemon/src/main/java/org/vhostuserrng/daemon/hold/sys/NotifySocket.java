package org.vhostuserrng.daemon.hold.sys;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import org.vhostuserrng.libc.ErrnoException;
import org.vhostuserrng.libc.Libc;
import org.vhostuserrng.libc.NativeText;
import org.vhostuserrng.libc.OwnedFd;

/**
 * A datagram socket that receives notifications of a service (sd_notify(3)) with the process IDs of their senders. The
 * socket's file is in a directory that only this user may enter, so that no other user can fill the socket's queue.
 * Confined to one thread.
 */
public final class NotifySocket implements AutoCloseable {
    /** Maximum length of a datagram in bytes, as in systemd. */
    public static final int MAX_DATAGRAM_BYTES = 4096;

    private static final MemorySegment MKDTEMP = Libc.symbol("mkdtemp");
    private static final MemorySegment SOCKET = Libc.symbol("socket");
    private static final MemorySegment BIND = Libc.symbol("bind");
    private static final MemorySegment SETSOCKOPT = Libc.symbol("setsockopt");
    private static final MemorySegment RECVMSG = Libc.symbol("recvmsg");
    private static final MemorySegment UNLINK = Libc.symbol("unlink");
    private static final MemorySegment RMDIR = Libc.symbol("rmdir");
    private static final int AF_UNIX = 1;
    private static final int SOCK_DGRAM = 2;
    private static final int SOCK_CLOEXEC = 0x80000;
    private static final int SOL_SOCKET = 1;
    private static final int SO_PASSCRED = 16;
    private static final int SCM_RIGHTS = 1;
    private static final int SCM_CREDENTIALS = 2;
    private static final int MSG_CTRUNC = 0x8;
    private static final int MSG_TRUNC = 0x20;
    private static final int MSG_DONTWAIT = 0x40;
    private static final int MSG_CMSG_CLOEXEC = 0x4000_0000;

    /** Linux include/net/scm.h: maximum number of descriptors in one message. */
    private static final int SCM_MAX_FD = 253;
    /** struct sockaddr_un { sa_family_t sun_family; char sun_path[108]; }. */
    private static final int SUN_PATH = 2;

    private static final int SUN_PATH_BYTES = 108;
    // struct msghdr { void *msg_name; socklen_t msg_namelen; struct iovec *msg_iov; size_t msg_iovlen;
    //                 void *msg_control; size_t msg_controllen; int msg_flags; };
    private static final int MSG_IOV = 16;
    private static final int MSG_IOVLEN = 24;
    private static final int MSG_CONTROL = 32;
    private static final int MSG_CONTROLLEN = 40;
    private static final int MSG_FLAGS = 48;
    private static final int MSGHDR_BYTES = 56;
    // struct cmsghdr { size_t cmsg_len; int cmsg_level; int cmsg_type; }; followed by the data, aligned to 8
    private static final int CMSG_LEVEL = 8;
    private static final int CMSG_TYPE = 12;
    private static final int CMSG_DATA = 16;
    /** struct ucred { pid_t pid; uid_t uid; gid_t gid; }. */
    private static final int UCRED_BYTES = 12;

    private static final int CONTROL_BYTES =
            CMSG_DATA + aligned(UCRED_BYTES) + CMSG_DATA + aligned(SCM_MAX_FD * Integer.BYTES);

    /** mkdtemp(3) replaces the last six characters. */
    private static final String DIRECTORY_TEMPLATE = "/vhost-user-rng-hold." + "X".repeat(6);

    private static final String FILE_NAME = "/notify";

    private final Arena arena = Arena.ofConfined();
    private final MemorySegment bytes = arena.allocate(MAX_DATAGRAM_BYTES);
    private final MemorySegment vector = arena.allocate(2 * Long.BYTES, Long.BYTES);
    private final MemorySegment control = arena.allocate(CONTROL_BYTES, Long.BYTES);
    private final MemorySegment header = arena.allocate(MSGHDR_BYTES, Long.BYTES);
    private final OwnedFd fd;
    private final String directory;
    private final Executor closer;

    private NotifySocket(OwnedFd fd, String directory, Executor closer) {
        this.fd = fd;
        this.directory = directory;
        this.closer = closer;
        vector.set(ValueLayout.JAVA_LONG, 0, bytes.address());
        vector.set(ValueLayout.JAVA_LONG, Long.BYTES, bytes.byteSize());
    }

    /**
     * A received datagram. The caller of {@link #receive} owns the descriptors.
     *
     * @param senderPid process ID of the sender; 0 if the sender has ended and was reaped
     * @param text the datagram as {@link NativeText} decodes it
     * @param complete false if bytes or descriptors were lost
     */
    public record Datagram(int senderPid, String text, List<OwnedFd> fds, boolean complete) {}

    /**
     * Creates a socket in a new directory.
     *
     * @param parents the new directory is created in the first of these directories in which that succeeds
     * @param closer closes received descriptors, because closing may block
     * @throws IOException if none of the directories can be used
     */
    public static NotifySocket create(List<String> parents, Executor closer) throws IOException {
        IOException last = null;
        for (String parent : parents) {
            try {
                return create(parent, closer);
            } catch (IOException impossible) {
                last = impossible;
            }
        }
        throw new IOException("cannot create a notify socket in any of " + String.join(", ", parents), last);
    }

    private static NotifySocket create(String parent, Executor closer) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment directory = NativeText.allocate(arena, parent + DIRECTORY_TEMPLATE);
            long length = directory.byteSize() - 1;
            if (length + FILE_NAME.length() >= SUN_PATH_BYTES) {
                throw new IOException(parent + ": too long for the path of a socket");
            }
            long made = Libc.callLong(MKDTEMP, directory.address(), 0, 0, 0, 0, 0);
            // On failure mkdtemp returns a null pointer, not −1.
            if (made == 0) {
                throw new IOException(parent + ": cannot create a directory");
            }
            String path = NativeText.decode(directory.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE));
            int number =
                    ErrnoException.check("socket", Libc.callInt(SOCKET, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, 0, 0));
            NotifySocket socket = new NotifySocket(new OwnedFd(number), path, closer);
            try {
                socket.bind();
                return socket;
            } catch (ErrnoException refused) {
                socket.close();
                throw refused;
            }
        }
    }

    private void bind() throws ErrnoException {
        try (Arena scope = Arena.ofConfined()) {
            MemorySegment one = scope.allocateFrom(ValueLayout.JAVA_INT, 1);
            int set = Libc.callInt(SETSOCKOPT, fd.number(), SOL_SOCKET, SO_PASSCRED, one.address(), Integer.BYTES);
            ErrnoException.check("setsockopt(SO_PASSCRED)", set);
            MemorySegment address = scope.allocate(SUN_PATH + SUN_PATH_BYTES, Long.BYTES);
            byte[] name = NativeText.encode(path());
            address.set(ValueLayout.JAVA_SHORT, 0, (short) AF_UNIX);
            MemorySegment.copy(name, 0, address, ValueLayout.JAVA_BYTE, SUN_PATH, name.length);
            ErrnoException.check(
                    "bind " + path(), Libc.callInt(BIND, fd.number(), address.address(), address.byteSize(), 0, 0));
        }
    }

    /** Returns the path of the socket, which is the value of NOTIFY_SOCKET. */
    public String path() {
        return directory + FILE_NAME;
    }

    /** Returns the socket's descriptor, which is readable while datagrams are queued. This object remains the owner. */
    public OwnedFd fd() {
        return fd;
    }

    /** Receives the next datagram; returns null if none is queued. */
    public Datagram receive() {
        header.fill((byte) 0);
        header.set(ValueLayout.JAVA_LONG, MSG_IOV, vector.address());
        header.set(ValueLayout.JAVA_LONG, MSG_IOVLEN, 1);
        header.set(ValueLayout.JAVA_LONG, MSG_CONTROL, control.address());
        header.set(ValueLayout.JAVA_LONG, MSG_CONTROLLEN, CONTROL_BYTES);
        int length =
                (int) Libc.callLong(RECVMSG, fd.number(), header.address(), MSG_DONTWAIT | MSG_CMSG_CLOEXEC, 0, 0, 0);
        if (length < 0) {
            return null;
        }
        int senderPid = 0;
        List<OwnedFd> fds = new ArrayList<>();
        long end = header.get(ValueLayout.JAVA_LONG, MSG_CONTROLLEN);
        long at = 0;
        while (at + CMSG_DATA <= end) {
            // The kernel writes cmsg_len. It never exceeds the control buffer.
            long next = control.get(ValueLayout.JAVA_LONG, at);
            int type = control.get(ValueLayout.JAVA_INT, at + CMSG_TYPE);
            if (control.get(ValueLayout.JAVA_INT, at + CMSG_LEVEL) == SOL_SOCKET && type == SCM_CREDENTIALS) {
                senderPid = control.get(ValueLayout.JAVA_INT, at + CMSG_DATA);
            } else if (type == SCM_RIGHTS) {
                for (long data = at + CMSG_DATA; data < at + next; data += Integer.BYTES) {
                    fds.add(new OwnedFd(control.get(ValueLayout.JAVA_INT, data), closer));
                }
            }
            at += aligned((int) Math.max(next, CMSG_DATA));
        }
        boolean complete = (header.get(ValueLayout.JAVA_INT, MSG_FLAGS) & (MSG_TRUNC | MSG_CTRUNC)) == 0;
        String text = NativeText.decode(bytes.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE));
        return new Datagram(senderPid, text, fds, complete);
    }

    private static int aligned(int size) {
        return size + Long.BYTES - 1 & -Long.BYTES;
    }

    /** Closes the socket, and removes its file and directory. */
    @Override
    public void close() {
        fd.close();
        arena.close();
        try (Arena scope = Arena.ofConfined()) {
            int ignored = Libc.callInt(UNLINK, cString(scope, path()), 0, 0, 0, 0);
            ignored |= Libc.callInt(RMDIR, cString(scope, directory), 0, 0, 0, 0);
            assert ignored <= 0;
        }
    }

    private static long cString(Arena scope, String text) {
        byte[] encoded = NativeText.encode(text);
        MemorySegment string = scope.allocate(encoded.length + 1L);
        MemorySegment.copy(encoded, 0, string, ValueLayout.JAVA_BYTE, 0, encoded.length);
        return string.address();
    }
}
