package org.vhostuserrng.frontend;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.Arrays;
import jnr.ffi.Pointer;

/**
 * TCP sockets with SO_LINGER and with unsent bytes, because the peer never reads. close(2) of the last descriptor of
 * such a socket blocks until the linger time has passed or {@link #resetConnections} is called.
 */
public final class SlowClosingSockets implements AutoCloseable {
    private static final int BUFFER_SIZE = 4096;
    // struct sockaddr_in { sa_family_t sin_family; in_port_t sin_port; struct in_addr sin_addr; char pad[8]; };
    private static final int SOCKADDR_SIZE = 16;
    // struct linger { int l_onoff; int l_linger; };
    private static final int LINGER_SIZE = 8;

    private final Duration lingerTime;
    private final ServerSocket peer;
    private final int[] fds;
    private boolean open = true;

    /**
     * Connects the sockets and fills their send buffers.
     *
     * @param count number of sockets
     * @param time linger time of each socket, a whole number of seconds
     */
    public SlowClosingSockets(int count, Duration time) throws IOException {
        this.lingerTime = time;
        peer = new ServerSocket();
        peer.setReceiveBufferSize(BUFFER_SIZE);
        peer.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), count);
        fds = new int[count];
        for (int i = 0; i < count; i++) {
            fds[i] = connect();
        }
    }

    private int connect() throws IOException {
        int type = FrontendLibc.SOCK_STREAM | FrontendLibc.SOCK_CLOEXEC;
        int fd = FrontendLibc.checkErrno("socket", FrontendLibc.calls().socket(FrontendLibc.AF_INET, type, 0));
        Pointer address = allocate(SOCKADDR_SIZE);
        address.putShort(0, (short) FrontendLibc.AF_INET);
        address.putShort(2, bigEndian((short) peer.getLocalPort()));
        address.put(4, InetAddress.getLoopbackAddress().getAddress(), 0, 4);
        FrontendLibc.checkErrno("connect", FrontendLibc.calls().connect(fd, address, SOCKADDR_SIZE));
        setOption(fd, FrontendLibc.SO_SNDBUF, BUFFER_SIZE, 0, Integer.BYTES);
        setOption(fd, FrontendLibc.SO_LINGER, 1, (int) lingerTime.toSeconds(), LINGER_SIZE);
        fill(fd);
        return fd;
    }

    private static Pointer allocate(int size) {
        return FrontendLibc.runtime().getMemoryManager().allocateDirect(size, true);
    }

    private static short bigEndian(short value) {
        return ByteOrder.nativeOrder() == ByteOrder.BIG_ENDIAN ? value : Short.reverseBytes(value);
    }

    private static void setOption(int fd, int name, int first, int second, int size) throws IOException {
        Pointer value = allocate(LINGER_SIZE);
        value.putInt(0, first);
        value.putInt(Integer.BYTES, second);
        FrontendLibc.checkErrno(
                "setsockopt", FrontendLibc.calls().setsockopt(fd, FrontendLibc.SOL_SOCKET, name, value, size));
    }

    private static void fill(int fd) throws IOException {
        FrontendLibc.checkErrno(
                "F_SETFL", FrontendLibc.calls().fcntl(fd, FrontendLibc.F_SETFL, FrontendLibc.O_NONBLOCK));
        Pointer bytes = allocate(BUFFER_SIZE);
        long written = BUFFER_SIZE;
        while (written > 0) {
            written = FrontendLibc.calls().write(fd, bytes, BUFFER_SIZE);
        }
    }

    /**
     * Returns {@code count} descriptors from index {@code from}. This object owns all of them until {@link #closeFds}.
     */
    public int[] fds(int from, int count) {
        return Arrays.copyOfRange(fds, from, from + count);
    }

    /** Closes this process's descriptors. Does not block while queued messages or other processes hold duplicates. */
    public void closeFds() {
        if (open) {
            open = false;
            for (int fd : fds) {
                FrontendLibc.calls().close(fd);
            }
        }
    }

    /** Lets the peer reset the connections, which ends all blocked close(2) calls. */
    public void resetConnections() throws IOException {
        peer.close();
    }

    @Override
    public void close() throws IOException {
        resetConnections();
        closeFds();
    }
}
