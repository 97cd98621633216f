package org.vhostuserrng.backends.egd;

import java.io.IOException;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.vhostuserrng.backends.sys.NetworkInterfaceIndex;
import org.vhostuserrng.backends.sys.TcpOrUnixClientSocket;
import org.vhostuserrng.libc.NativePath;

/** The address of an EGD server: {@code tcp:HOST:PORT} or {@code unix:PATH}. */
sealed interface EgdServerAddress {
    String SYNTAX = "egd:tcp:HOST:PORT (PORT 1 to 65535) or egd:unix:PATH";

    /**
     * Starts to connect. Successive attempts use the addresses of a host name in turn. May block while the name is
     * resolved.
     *
     * @param attempt the number of attempts so far
     */
    TcpOrUnixClientSocket connect(int attempt) throws IOException;

    /**
     * Parses an address.
     *
     * @throws IllegalArgumentException if the address is malformed; the message has the expected syntax
     */
    static EgdServerAddress parse(String text) {
        Matcher tcp = Tcp.PATTERN.matcher(text);
        if (tcp.matches()) {
            int port = Integer.parseInt(tcp.group("port"));
            if (port >= 1 && port <= Tcp.MAX_PORT) {
                return Tcp.of(tcp.group("host"), port);
            }
        } else if (text.startsWith(Unix.PREFIX)) {
            return Unix.of(text.substring(Unix.PREFIX.length()));
        }
        throw new IllegalArgumentException("expected " + SYNTAX);
    }

    /**
     * A TCP address.
     *
     * @param host a name, an IPv4 address, or an IPv6 address in brackets, with its zone (RFC 4007 §11)
     * @param zone name or index of the network interface of a link-local address; empty without a zone
     */
    record Tcp(String host, String zone, int port) implements EgdServerAddress {
        private static final Pattern PATTERN = Pattern.compile("tcp:(?<host>\\[[^\\]]+\\]|[^:\\[]+):(?<port>\\d{1,5})");
        private static final int MAX_PORT = 65535;
        private static final char ZONE_DELIMITER = '%';

        private static Tcp of(String host, int port) {
            if (!host.startsWith("[")) {
                return new Tcp(host, "", port);
            }
            int percent = host.indexOf(ZONE_DELIMITER);
            String zone = percent < 0 ? "" : host.substring(percent + 1, host.length() - 1);
            if (percent >= 0 && zone.isEmpty()) {
                throw new IllegalArgumentException("no network interface after %, expected " + SYNTAX);
            }
            if (literal(host).isLinkLocalAddress() && zone.isEmpty()) {
                throw new IllegalArgumentException(
                        "a link-local address needs its network interface, as in [fe80::1" + ZONE_DELIMITER + "eth0]");
            }
            return new Tcp(host, zone, port);
        }

        /** Parses the IPv6 address between the brackets, without its zone. */
        private static InetAddress literal(String host) {
            int percent = host.indexOf(ZONE_DELIMITER);
            String address = host.substring(1, percent < 0 ? host.length() - 1 : percent);
            try {
                return Inet6Address.ofLiteral(address);
            } catch (IllegalArgumentException malformed) {
                throw new IllegalArgumentException(address + " is no IPv6 address, expected " + SYNTAX, malformed);
            }
        }

        @Override
        public TcpOrUnixClientSocket connect(int attempt) throws IOException {
            if (host.startsWith("[")) {
                int scopeId = zone.isEmpty() ? 0 : NetworkInterfaceIndex.of(zone);
                return TcpOrUnixClientSocket.connect(literal(host), port, scopeId);
            }
            InetAddress[] addresses = InetAddress.getAllByName(host);
            InetAddress address = addresses[Math.floorMod(attempt, addresses.length)];
            return TcpOrUnixClientSocket.connect(
                    address, port, address instanceof Inet6Address ipv6 ? ipv6.getScopeId() : 0);
        }

        @Override
        public String toString() {
            return "tcp:" + host + ":" + port;
        }
    }

    /** The address of a UNIX socket. */
    record Unix(Path path) implements EgdServerAddress {
        private static final String PREFIX = "unix:";

        private static Unix of(String path) {
            try {
                if (!path.isEmpty()) {
                    return new Unix(NativePath.of(path));
                }
            } catch (InvalidPathException invalid) {
                throw new IllegalArgumentException("expected " + SYNTAX + ", " + invalid.getReason(), invalid);
            }
            throw new IllegalArgumentException("expected " + SYNTAX);
        }

        @Override
        public TcpOrUnixClientSocket connect(int attempt) throws IOException {
            return TcpOrUnixClientSocket.connect(path);
        }

        @Override
        public String toString() {
            return PREFIX + NativePath.text(path);
        }
    }
}
