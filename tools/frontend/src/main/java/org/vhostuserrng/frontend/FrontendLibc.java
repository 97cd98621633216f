package org.vhostuserrng.frontend;

import java.io.IOException;
import jnr.constants.platform.Errno;
import jnr.ffi.LibraryLoader;
import jnr.ffi.Pointer;
import jnr.ffi.Runtime;
import jnr.ffi.annotations.Out;

/** C library functions that jnr-posix lacks, and their constants, with the names of the man pages. */
final class FrontendLibc {
    static final int MFD_CLOEXEC = 0x1;
    static final int MFD_ALLOW_SEALING = 0x2;
    static final int MFD_HUGETLB = 0x4;
    static final int F_ADD_SEALS = 1033;
    static final int F_GET_SEALS = 1034;
    static final int F_SEAL_SHRINK = 0x2;
    static final int F_SEAL_WRITE = 0x8;
    static final int EFD_NONBLOCK = 0x800;
    static final int EFD_CLOEXEC = 0x80000;
    static final int POLLIN = 0x1;
    static final int F_SETFL = 4;
    static final int O_WRONLY = 0x1;
    static final int O_RDWR = 0x2;
    static final int O_NONBLOCK = 0x800;
    static final int O_CLOEXEC = 0x80000;
    static final int O_DIRECTORY = 0x10000;
    static final int O_PATH = 0x200000;
    static final int MSG_NOSIGNAL = 0x4000;
    static final int MSG_DONTWAIT = 0x40;
    static final int EFD_SEMAPHORE = 1;
    static final int AF_UNIX = 1;
    static final int AF_INET = 2;
    static final int SOCK_STREAM = 1;
    static final int SOCK_DGRAM = 2;
    static final int SOCK_SEQPACKET = 5;
    static final int SOCK_CLOEXEC = 0x80000;
    static final int SOL_SOCKET = 1;
    static final int SO_SNDBUF = 7;
    static final int SO_LINGER = 13;
    static final int SCM_RIGHTS = 1;
    static final int MSG_CMSG_CLOEXEC = 0x40000000;
    static final int MSG_CTRUNC = 0x8;
    static final int SHUT_RDWR = 2;

    /** Size of struct pollfd in bytes: fd 4, events 2, revents 2. */
    private static final int POLLFD_SIZE = 8;

    private static final Calls CALLS = LibraryLoader.create(Calls.class).load("c");

    private FrontendLibc() {}

    static Calls calls() {
        return CALLS;
    }

    static Runtime runtime() {
        return Runtime.getRuntime(CALLS);
    }

    static int checkErrno(String call, int result) throws IOException {
        if (result < 0) {
            throw new IOException(call + ": " + errno());
        }
        return result;
    }

    static Errno errno() {
        return Errno.valueOf(runtime().getLastError());
    }

    static Pointer allocatePollFd(int fd) {
        Pointer pollFd = runtime().getMemoryManager().allocateDirect(POLLFD_SIZE);
        pollFd.putInt(0, fd);
        pollFd.putShort(4, (short) POLLIN);
        return pollFd;
    }

    /**
     * Waits until the descriptor in {@code pollFd} is readable or its peer hangs up.
     *
     * @param millis timeout in milliseconds; 0 to return immediately
     * @return false if the timeout expires or a signal interrupts the wait
     */
    static boolean awaitReadable(Pointer pollFd, long millis) throws IOException {
        int timeout = Math.clamp(millis, 0, Integer.MAX_VALUE);
        int ready = CALLS.poll(pollFd, 1, timeout);
        if (ready < 0 && errno() == Errno.EINTR) {
            return false;
        }
        return checkErrno("poll", ready) > 0;
    }

    /** The functions that jnr-ffi binds to libc. jnr-ffi saves errno after each call. */
    public interface Calls {
        int memfd_create(String name, int flags);

        int ftruncate(int fd, long length);

        int fcntl(int fd, int command, int argument);

        int pipe2(@Out int[] ends, int flags);

        int eventfd(int initialValue, int flags);

        int epoll_create1(int flags);

        int epoll_ctl(int fd, int operation, int watched, Pointer event);

        int epoll_wait(int fd, Pointer events, int capacity, int timeoutMillis);

        int poll(Pointer fds, long count, int timeoutMillis);

        long read(int fd, Pointer buffer, long count);

        long write(int fd, Pointer buffer, long count);

        int open(String path, int flags);

        int close(int fd);

        int mount(String source, String target, String type, long flags, String options);

        int umount2(String target, int flags);

        Pointer mmap(Pointer address, long length, int protection, int flags, int fd, long offset);

        int munmap(Pointer address, long length);

        int bind(int fd, Pointer address, int length);

        int listen(int fd, int backlog);

        long sendmsg(int fd, Pointer message, int flags);

        long recvmsg(int fd, Pointer message, int flags);

        int shutdown(int fd, int how);

        int socket(int domain, int type, int protocol);

        int socketpair(int domain, int type, int protocol, @Out int[] ends);

        int connect(int fd, Pointer address, int length);

        int setsockopt(int fd, int level, int name, Pointer value, int length);
    }
}
