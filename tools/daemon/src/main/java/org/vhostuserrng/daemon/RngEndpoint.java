package org.vhostuserrng.daemon;

import java.io.IOException;
import java.nio.file.Path;
import org.vhostuserrng.device.rng.VirtioRngDevice;
import org.vhostuserrng.libc.NativePath;
import org.vhostuserrng.transport.systemd.ListenFds;
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
    record ListeningPath(Path path, String guestName) implements RngEndpoint {
        @Override
        public void attach(VhostUserServer server, VirtioRngDevice device) throws IOException {
            server.listen(path, device);
        }

        @Override
        public String toString() {
            return "listening on " + NativePath.text(path);
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
            return "connecting to " + NativePath.text(path);
        }
    }

    /**
     * An inherited socket: a listening socket, or a connection.
     *
     * @param option the option or variable that names the descriptor, with its value, for an error message
     * @param guestName the name of the guest
     */
    record InheritedFd(int fd, String option, String guestName) implements RngEndpoint {
        /** {@code --fd}. */
        static InheritedFd ofOption(int fd) {
            return new InheritedFd(fd, DaemonOptions.FD + "=" + fd, "fd " + fd);
        }

        /** LISTEN_FDS. */
        static InheritedFd ofServiceManager(ListenFds.NamedFd socket) {
            return new InheritedFd(
                    socket.fd(), "LISTEN_FDS: descriptor " + socket.fd() + " '" + socket.name() + "'", socket.name());
        }

        @Override
        public void attach(VhostUserServer server, VirtioRngDevice device) throws IOException, BadUsageException {
            try {
                server.inherit(fd, device);
            } catch (IllegalArgumentException notASocket) {
                throw new BadUsageException(option + ": " + notASocket.getMessage(), notASocket);
            }
        }

        @Override
        public String toString() {
            String number = "fd " + fd;
            return "serving on " + (guestName.equals(number) ? number : number + " (" + guestName + ")");
        }
    }

    /** The last element of a path. */
    static String fileName(Path path) {
        Path name = path.getFileName();
        return NativePath.text(name == null ? path : name);
    }
}
