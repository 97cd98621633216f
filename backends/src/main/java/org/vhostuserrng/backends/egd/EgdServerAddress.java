package org.vhostuserrng.backends.egd;

import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.vhostuserrng.backends.sys.ClientStreamSocket;

/** {@code tcp:HOST:PORT} or {@code unix:PATH}: where an EGD server listens. */
sealed interface EgdServerAddress {
    String SYNTAX = "egd:tcp:HOST:PORT (PORT 1 to 65535) or egd:unix:PATH";

    /**
     * Begins to connect, at the {@code attempt}-th of the addresses that a host's name stands for. May wait for the name
     * to be resolved.
     */
    ClientStreamSocket connect(int attempt) throws IOException;

    /**
     * Reads an address.
     *
     * @throws IllegalArgumentException with what is allowed, if it is none
     */
    static EgdServerAddress parse(String text) {
        Matcher tcp = Tcp.PATTERN.matcher(text);
        if (tcp.matches()) {
            int port = Integer.parseInt(tcp.group("port"));
            if (port >= 1 && port <= Tcp.LARGEST_PORT) {
                return new Tcp(tcp.group("host"), port);
            }
        } else if (text.startsWith(Unix.PREFIX)) {
            return Unix.of(text.substring(Unix.PREFIX.length()));
        }
        throw new IllegalArgumentException("expected " + SYNTAX);
    }

    /**
     * A TCP port.
     *
     * @param host a name, an IPv4 address, or an IPv6 address in brackets
     */
    record Tcp(String host, int port) implements EgdServerAddress {
        private static final Pattern PATTERN = Pattern.compile("tcp:(?<host>\\[[^\\]]+\\]|[^:\\[]+):(?<port>\\d{1,5})");
        private static final int LARGEST_PORT = 65535;

        @Override
        public ClientStreamSocket connect(int attempt) throws IOException {
            InetAddress[] addresses = InetAddress.getAllByName(host);
            return ClientStreamSocket.connect(addresses[Math.floorMod(attempt, addresses.length)], port);
        }

        @Override
        public String toString() {
            return "tcp:" + host + ":" + port;
        }
    }

    /** A UNIX socket. */
    record Unix(Path path) implements EgdServerAddress {
        private static final String PREFIX = "unix:";

        private static Unix of(String path) {
            try {
                if (!path.isEmpty()) {
                    return new Unix(Path.of(path));
                }
            } catch (InvalidPathException invalid) {
                throw new IllegalArgumentException("expected " + SYNTAX + ", " + invalid.getReason(), invalid);
            }
            throw new IllegalArgumentException("expected " + SYNTAX);
        }

        @Override
        public ClientStreamSocket connect(int attempt) throws IOException {
            return ClientStreamSocket.connect(path);
        }

        @Override
        public String toString() {
            return PREFIX + path;
        }
    }
}
