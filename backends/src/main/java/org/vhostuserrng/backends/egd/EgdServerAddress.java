package org.vhostuserrng.backends.egd;

import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.vhostuserrng.backends.sys.TcpOrUnixClientSocket;
import org.vhostuserrng.libc.NativePath;

/** Address of an EGD server: {@code tcp:HOST:PORT} or {@code unix:PATH}. */
sealed interface EgdServerAddress {
    String SYNTAX = "egd:tcp:HOST:PORT (PORT 1 to 65535) or egd:unix:PATH";

    /**
     * Starts to connect. Attempts cycle through the addresses of a host name. May block while the name is resolved.
     */
    TcpOrUnixClientSocket connect(int attempt) throws IOException;

    /**
     * Parses an address.
     *
     * @throws IllegalArgumentException with the expected syntax, if the address is malformed
     */
    static EgdServerAddress parse(String text) {
        Matcher tcp = Tcp.PATTERN.matcher(text);
        if (tcp.matches()) {
            int port = Integer.parseInt(tcp.group("port"));
            if (port >= 1 && port <= Tcp.MAX_PORT) {
                return new Tcp(tcp.group("host"), port);
            }
        } else if (text.startsWith(Unix.PREFIX)) {
            return Unix.of(text.substring(Unix.PREFIX.length()));
        }
        throw new IllegalArgumentException("expected " + SYNTAX);
    }

    /**
     * A TCP address.
     *
     * @param host a name, an IPv4 address, or an IPv6 address in brackets
     */
    record Tcp(String host, int port) implements EgdServerAddress {
        private static final Pattern PATTERN = Pattern.compile("tcp:(?<host>\\[[^\\]]+\\]|[^:\\[]+):(?<port>\\d{1,5})");
        private static final int MAX_PORT = 65535;

        @Override
        public TcpOrUnixClientSocket connect(int attempt) throws IOException {
            InetAddress[] addresses = InetAddress.getAllByName(host);
            return TcpOrUnixClientSocket.connect(addresses[Math.floorMod(attempt, addresses.length)], port);
        }

        @Override
        public String toString() {
            return "tcp:" + host + ":" + port;
        }
    }

    /** Address of a UNIX socket. */
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
