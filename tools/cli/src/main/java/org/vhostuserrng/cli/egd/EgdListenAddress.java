package org.vhostuserrng.cli.egd;

import java.io.IOException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.StandardProtocolFamily;
import java.net.StandardSocketOptions;
import java.net.UnixDomainSocketAddress;
import java.net.UnknownHostException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.vhostuserrng.libc.NativePath;
import org.vhostuserrng.libc.NativeText;

/** An address on which the EGD server listens, or to which it connects: {@code tcp:HOST:PORT} or {@code unix:PATH}. */
sealed interface EgdListenAddress {
    String SYNTAX = "tcp:HOST:PORT (PORT 0 to 65535) or unix:PATH";

    /** Opens a listening socket. */
    ServerSocketChannel listen(int backlog) throws IOException;

    /** Returns the address as a {@link SocketAddress}. */
    SocketAddress socketAddress();

    /** Opens an unconnected socket that can connect to the address. */
    SocketChannel openClient() throws IOException;

    /**
     * Returns an object that identifies the file at the path of a UNIX socket; null if there is no file, and for TCP.
     */
    Object socketFile();

    /** Whether other hosts may be able to connect. */
    boolean isReachableFromOtherHosts();

    /** Removes the file of a UNIX socket; does nothing for TCP. Must be called after the socket was closed. */
    void removeSocketFile() throws IOException;

    /**
     * Parses an address to connect to. Like {@link #parse}, but port 0 is invalid.
     *
     * @throws IllegalArgumentException if {@code text} is invalid; the message contains the expected syntax
     */
    static EgdListenAddress parseClient(String text) {
        EgdListenAddress parsed = parse(text);
        if (parsed instanceof TcpAddress tcp && tcp.address().getPort() == 0) {
            throw new IllegalArgumentException("expected tcp:HOST:PORT (PORT 1 to 65535) or unix:PATH");
        }
        return parsed;
    }

    /**
     * Parses an address.
     *
     * @throws IllegalArgumentException if {@code text} is invalid; the message contains the expected syntax
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

    /** A TCP address; port 0 means any free port. */
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
                throw new IllegalArgumentException("unknown host " + host + "; expected " + SYNTAX, unknown);
            }
        }

        @Override
        public ServerSocketChannel listen(int backlog) throws IOException {
            // Without the family, a socket for 0.0.0.0 would accept IPv6 connections, too.
            ServerSocketChannel channel = ServerSocketChannel.open(family());
            channel.setOption(StandardSocketOptions.SO_REUSEADDR, true);
            return bind(channel, address, backlog);
        }

        private StandardProtocolFamily family() {
            return address.getAddress() instanceof Inet4Address
                    ? StandardProtocolFamily.INET
                    : StandardProtocolFamily.INET6;
        }

        @Override
        public SocketAddress socketAddress() {
            return address;
        }

        @Override
        public SocketChannel openClient() throws IOException {
            return SocketChannel.open();
        }

        @Override
        public Object socketFile() {
            return null;
        }

        @Override
        public boolean isReachableFromOtherHosts() {
            return !address.getAddress().isLoopbackAddress();
        }

        @Override
        public void removeSocketFile() {
            // A TCP port has no file.
        }

        @Override
        public String toString() {
            return describe(address);
        }
    }

    /** The path of a UNIX socket. */
    record UnixAddress(Path path) implements EgdListenAddress {
        private static final String PREFIX = "unix:";
        /** Size of sockaddr_un.sun_path without the terminating zero. */
        private static final int MAX_PATH_BYTES = 107;
        /** inode(7): the mask of the file type, and the file type of a socket. */
        private static final int S_IFMT = 0xf000;

        private static final int S_IFSOCK = 0xc000;

        private static UnixAddress of(String path) {
            int length = NativeText.encode(path).length;
            if (length == 0 || length > MAX_PATH_BYTES) {
                throw new IllegalArgumentException(
                        "expected a path of 1 to " + MAX_PATH_BYTES + " bytes, not " + length);
            }
            return new UnixAddress(NativePath.of(path));
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
                throw new IOException("cannot listen at " + this + ": another process does");
            }
            Files.delete(path);
        }

        private boolean isSocket() throws IOException {
            int mode = (int) Files.getAttribute(path, "unix:mode", LinkOption.NOFOLLOW_LINKS);
            return (mode & S_IFMT) == S_IFSOCK;
        }

        private boolean isListening() {
            try (SocketChannel connected = SocketChannel.open(UnixDomainSocketAddress.of(path))) {
                return connected.isConnected();
            } catch (IOException refused) {
                return false;
            }
        }

        @Override
        public SocketAddress socketAddress() {
            return UnixDomainSocketAddress.of(path);
        }

        @Override
        public SocketChannel openClient() throws IOException {
            return SocketChannel.open(StandardProtocolFamily.UNIX);
        }

        @Override
        public Object socketFile() {
            try {
                return Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS)
                        .fileKey();
            } catch (IOException missing) {
                return null;
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
            return PREFIX + NativePath.text(path);
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

    /** Returns an address in the syntax of {@code --listen}. */
    static String describe(SocketAddress address) {
        return switch (address) {
            case UnixDomainSocketAddress unix -> UnixAddress.PREFIX + NativePath.text(unix.getPath());
            case InetSocketAddress tcp -> {
                String host = tcp.getAddress().getHostAddress();
                yield "tcp:" + (host.contains(":") ? "[" + host + "]" : host) + ":" + tcp.getPort();
            }
            default -> throw new IllegalArgumentException(address.toString());
        };
    }
}
