package org.vhostuserrng.cli.egd;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.StandardProtocolFamily;
import java.net.StandardSocketOptions;
import java.net.UnixDomainSocketAddress;
import java.net.UnknownHostException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** {@code tcp:HOST:PORT} or {@code unix:PATH}: where a server listens. */
sealed interface EgdListenAddress {
    String SYNTAX = "tcp:HOST:PORT (PORT 0 to 65535) or unix:PATH";

    /** Listens. */
    ServerSocketChannel listen(int backlog) throws IOException;

    /** Whether other machines may be able to connect. */
    boolean isReachableFromOtherHosts();

    /** What is left on the machine when nobody listens any more is removed. */
    void removeSocketFile() throws IOException;

    /**
     * Reads an address.
     *
     * @throws IllegalArgumentException with what is allowed, if it is none
     */
    static EgdListenAddress parse(String text) {
        Matcher tcp = TcpAddress.PATTERN.matcher(text);
        if (tcp.matches()) {
            return TcpAddress.of(tcp.group("host"), Integer.parseInt(tcp.group("port")));
        }
        if (text.startsWith(UnixAddress.PREFIX)) {
            return UnixAddress.of(text.substring(UnixAddress.PREFIX.length()));
        }
        throw new IllegalArgumentException("expected " + SYNTAX);
    }

    /** A TCP port; 0 is any that is free. */
    record TcpAddress(InetSocketAddress address) implements EgdListenAddress {
        private static final Pattern PATTERN = Pattern.compile("tcp:(?<host>\\[[^\\]]+\\]|[^:\\[]+):(?<port>\\d{1,5})");
        private static final int MAX_PORT = 65535;

        private static TcpAddress of(String host, int port) {
            if (port > MAX_PORT) {
                throw new IllegalArgumentException("expected " + SYNTAX);
            }
            try {
                return new TcpAddress(new InetSocketAddress(InetAddress.getByName(host), port));
            } catch (UnknownHostException unknown) {
                throw new IllegalArgumentException("host " + host + " is not known; expected " + SYNTAX, unknown);
            }
        }

        @Override
        public ServerSocketChannel listen(int backlog) throws IOException {
            ServerSocketChannel channel = ServerSocketChannel.open();
            channel.setOption(StandardSocketOptions.SO_REUSEADDR, true);
            return bind(channel, address, backlog);
        }

        @Override
        public boolean isReachableFromOtherHosts() {
            return !address.getAddress().isLoopbackAddress();
        }

        @Override
        public void removeSocketFile() {
            // A port is free once its socket is closed.
        }

        @Override
        public String toString() {
            return describe(address);
        }
    }

    /** A UNIX socket; its file goes with it. */
    record UnixAddress(Path path) implements EgdListenAddress {
        private static final String PREFIX = "unix:";
        /** Bytes of sockaddr_un's sun_path, without the zero at its end. */
        private static final int MAX_PATH_BYTES = 107;
        /** inode(7): the type of a file, and that of a socket. */
        private static final int S_IFMT = 0xf000;

        private static final int S_IFSOCK = 0xc000;

        private static UnixAddress of(String path) {
            int length = path.getBytes(StandardCharsets.UTF_8).length;
            if (length == 0 || length > MAX_PATH_BYTES) {
                throw new IllegalArgumentException(
                        "expected a path of 1 to " + MAX_PATH_BYTES + " bytes, not " + length);
            }
            return new UnixAddress(Path.of(path));
        }

        @Override
        public ServerSocketChannel listen(int backlog) throws IOException {
            removeStale();
            ServerSocketChannel channel = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
            return bind(channel, UnixDomainSocketAddress.of(path), backlog);
        }

        private void removeStale() throws IOException {
            if (!Files.exists(path, LinkOption.NOFOLLOW_LINKS) || !isSocket()) {
                return;
            }
            if (isListening()) {
                throw new IOException("cannot listen at " + this + ": somebody else does");
            }
            Files.delete(path);
        }

        private boolean isSocket() throws IOException {
            int mode = (int) Files.getAttribute(path, "unix:mode", LinkOption.NOFOLLOW_LINKS);
            return (mode & S_IFMT) == S_IFSOCK;
        }

        private boolean isListening() {
            try (SocketChannel answered = SocketChannel.open(UnixDomainSocketAddress.of(path))) {
                return answered.isConnected();
            } catch (IOException refused) {
                return false;
            }
        }

        @Override
        public boolean isReachableFromOtherHosts() {
            return false;
        }

        @Override
        public void removeSocketFile() throws IOException {
            Files.deleteIfExists(path);
        }

        @Override
        public String toString() {
            return PREFIX + path;
        }
    }

    private static ServerSocketChannel bind(ServerSocketChannel channel, SocketAddress address, int backlog)
            throws IOException {
        try {
            return channel.bind(address, backlog);
        } catch (IOException refused) {
            channel.close();
            throw new IOException("cannot listen at " + describe(address) + ": " + refused.getMessage(), refused);
        }
    }

    /** An address the way options have it. */
    static String describe(SocketAddress address) {
        return switch (address) {
            case UnixDomainSocketAddress unix -> UnixAddress.PREFIX + unix.getPath();
            case InetSocketAddress tcp -> {
                String host = tcp.getAddress().getHostAddress();
                yield "tcp:" + (host.contains(":") ? "[" + host + "]" : host) + ":" + tcp.getPort();
            }
            default -> throw new IllegalArgumentException(address.toString());
        };
    }
}
