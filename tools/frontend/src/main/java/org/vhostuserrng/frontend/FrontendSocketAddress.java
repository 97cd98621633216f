package org.vhostuserrng.frontend;

import java.io.IOException;
import java.nio.file.Path;
import jnr.ffi.Pointer;
import jnr.unixsocket.UnixServerSocketChannel;
import jnr.unixsocket.UnixSocketChannel;
import org.vhostuserrng.libc.NativePath;

/**
 * Connects to, and listens at, a socket path that may contain any bytes. jnr-unixsocket truncates a path that is not
 * ASCII, because it uses the number of characters as the number of bytes.
 */
final class FrontendSocketAddress {
    // struct sockaddr_un { sa_family_t sun_family; char sun_path[108]; };
    private static final short AF_UNIX = 1;
    private static final int PATH_OFFSET = 2;
    private static final int BYTES = 110;
    private static final int BACKLOG = 128;

    private FrontendSocketAddress() {}

    /** Connects to the socket at {@code path}. */
    static UnixSocketChannel connect(Path path) throws IOException {
        UnixSocketChannel channel = UnixSocketChannel.open();
        try {
            check(FrontendLibc.calls().connect(channel.getFD(), address(path), BYTES));
            return channel;
        } catch (IOException refused) {
            channel.close();
            throw refused;
        }
    }

    /** Listens at {@code path}. */
    static UnixServerSocketChannel listen(Path path) throws IOException {
        UnixServerSocketChannel channel = UnixServerSocketChannel.open();
        try {
            check(FrontendLibc.calls().bind(channel.getFD(), address(path), BYTES));
            check(FrontendLibc.calls().listen(channel.getFD(), BACKLOG));
            return channel;
        } catch (IOException refused) {
            channel.close();
            throw refused;
        }
    }

    private static void check(int result) throws IOException {
        if (result < 0) {
            throw new IOException(FrontendLibc.errno().description());
        }
    }

    /** Returns the sockaddr_un of a path, followed by zeros. */
    private static Pointer address(Path path) throws IOException {
        byte[] name = NativePath.bytes(path);
        if (name.length > BYTES - PATH_OFFSET - 1) {
            throw new IOException("the path is longer than a socket's path may be");
        }
        Pointer address = FrontendLibc.runtime().getMemoryManager().allocateDirect(BYTES, true);
        address.putShort(0, AF_UNIX);
        address.put(PATH_OFFSET, name, 0, name.length);
        return address;
    }
}
