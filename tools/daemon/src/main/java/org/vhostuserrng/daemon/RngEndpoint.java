package org.vhostuserrng.daemon;

import java.io.IOException;
import java.nio.file.Path;
import org.vhostuserrng.device.rng.VirtioRngDevice;
import org.vhostuserrng.transport.vhostuser.server.VhostUserServer;

/** A socket on which the daemon serves one guest. {@code toString} describes it for the log. */
sealed interface RngEndpoint {
    /** The name of the guest in {@code --guest}, in logs and in JFR events. */
    String guestName();

    /**
     * Adds this socket to a server.
     *
     * @throws BadUsageException if the option names a socket that cannot serve
     */
    void attach(VhostUserServer server, VirtioRngDevice device) throws IOException, BadUsageException;

    /** {@code --socket-path}: front-ends connect to this path, one after the other. */
    record ListeningPath(Path path) implements RngEndpoint {
        @Override
        public String guestName() {
            return fileName(path);
        }

        @Override
        public void attach(VhostUserServer server, VirtioRngDevice device) throws IOException {
            server.listen(path, device);
        }

        @Override
        public String toString() {
            return "listening on " + path;
        }
    }

    /** {@code --connect}: the front-end listens on this path. */
    record FrontendPath(Path path) implements RngEndpoint {
        @Override
        public String guestName() {
            return fileName(path);
        }

        @Override
        public void attach(VhostUserServer server, VirtioRngDevice device) throws IOException {
            server.connect(path, device);
        }

        @Override
        public String toString() {
            return "connecting to " + path;
        }
    }

    /** {@code --fd}: a listening socket, or a connection; the daemon exits when that connection ends. */
    record InheritedFd(int fd) implements RngEndpoint {
        @Override
        public String guestName() {
            return "fd " + fd;
        }

        @Override
        public void attach(VhostUserServer server, VirtioRngDevice device) throws IOException, BadUsageException {
            try {
                server.inherit(fd, device);
            } catch (IllegalArgumentException notASocket) {
                throw new BadUsageException(DaemonOptions.FD + "=" + fd + ": " + notASocket.getMessage(), notASocket);
            }
        }

        @Override
        public String toString() {
            return "serving on fd " + fd;
        }
    }

    private static String fileName(Path path) {
        Path name = path.getFileName();
        return (name == null ? path : name).toString();
    }
}
