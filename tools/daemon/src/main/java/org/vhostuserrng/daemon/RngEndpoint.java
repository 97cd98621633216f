package org.vhostuserrng.daemon;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.vhostuserrng.device.pci.VirtioPciFunction;
import org.vhostuserrng.device.rng.VirtioRngDevice;
import org.vhostuserrng.libc.InheritedFds;
import org.vhostuserrng.libc.NativePath;
import org.vhostuserrng.transport.pci.PciFunction;
import org.vhostuserrng.transport.pci.PciFunctionHost;
import org.vhostuserrng.transport.systemd.ListenFds;
import org.vhostuserrng.transport.vhostuser.ListenerAccess;
import org.vhostuserrng.transport.vhostuser.server.VhostUserEndpoint;
import org.vhostuserrng.transport.vhostuser.server.VhostUserServer;
import org.vhostuserrng.transport.virtio.VirtioDevice;

/** A socket on which the daemon serves one guest. {@code toString} describes the socket for the log. */
sealed interface RngEndpoint {
    /** The name of the guest in {@code --guest}, in logs and in JFR events. */
    String guestName();

    /** Returns an object that is equal for two configurations of the same socket, even if their permissions differ. */
    default Object identity() {
        return this;
    }

    /** The absolute and normalized path on which front-ends connect; null for another kind of socket. */
    default Path listeningPath() {
        return null;
    }

    /** The permissions of the socket's file, and the users and groups that may connect. */
    default ListenerAccess access() {
        return ListenerAccess.BY_UMASK;
    }

    /** Whether a session on this socket can outlive the process. */
    default boolean isStorable() {
        return true;
    }

    /**
     * Adds this socket to a server.
     *
     * @throws BadUsageException if an option names a descriptor or path that cannot be served
     */
    VhostUserEndpoint attach(VhostUserServer server, VirtioRngDevice device) throws IOException, BadUsageException;

    /** {@code --socket-path}: front-ends connect to this path, one after the other. */
    record ListeningPath(Path path, String guestName, ListenerAccess access) implements RngEndpoint {
        @Override
        public Object identity() {
            return List.of(path, guestName);
        }

        @Override
        public Path listeningPath() {
            return normalized(path);
        }

        @Override
        public VhostUserEndpoint attach(VhostUserServer server, VirtioRngDevice device) throws IOException {
            return server.listen(path, access, device);
        }

        @Override
        public String toString() {
            return "listening on " + NativePath.text(path);
        }
    }

    /** {@code --vfio-user}: vfio-user clients connect to this path, one after the other. */
    record VfioUserPath(Path path, String guestName, ListenerAccess access) implements RngEndpoint {
        /** As QEMU's virtio-rng-pci has it in modern machine types. */
        private static final int MAX_QUEUE_SIZE = 256;

        @Override
        public Object identity() {
            return List.of(DaemonOptions.VFIO_USER, path, guestName);
        }

        @Override
        public Path listeningPath() {
            return normalized(path);
        }

        @Override
        public VhostUserEndpoint attach(VhostUserServer server, VirtioRngDevice device) throws IOException {
            return server.listenVfioUser(path, access, device, VfioUserPath::function);
        }

        private static PciFunction function(VirtioDevice device, PciFunctionHost host) {
            return new VirtioPciFunction(
                    VirtioRngDevice.VIRTIO_DEVICE_ID, device.features(), device.queueCount(), MAX_QUEUE_SIZE, host);
        }

        @Override
        public boolean isStorable() {
            return false;
        }

        @Override
        public String toString() {
            return "listening for vfio-user on " + NativePath.text(path);
        }
    }

    /** {@code --connect}: the front-end listens on this path. */
    record FrontendPath(Path path) implements RngEndpoint {
        @Override
        public String guestName() {
            return fileName(path);
        }

        @Override
        public VhostUserEndpoint attach(VhostUserServer server, VirtioRngDevice device) throws IOException {
            return server.connect(path, device);
        }

        @Override
        public String toString() {
            return "connecting to " + NativePath.text(path);
        }
    }

    /**
     * An inherited socket, which is listening or connected.
     *
     * @param option the option or variable that names the descriptor, with its value, for an error message
     * @param guestName the name of the guest
     * @param access who may connect, if the socket is listening
     */
    record InheritedFd(int fd, String option, String guestName, ListenerAccess access) implements RngEndpoint {
        /** Returns the socket of {@code --fd=N}. */
        static InheritedFd ofOption(int fd, ListenerAccess access) {
            return new InheritedFd(fd, DaemonOptions.FD + "=" + fd, "fd " + fd, access);
        }

        /** Returns a socket that the service manager passed in LISTEN_FDS. */
        static InheritedFd ofServiceManager(ListenFds.NamedFd socket, ListenerAccess access) {
            return new InheritedFd(
                    socket.fd(),
                    "LISTEN_FDS: descriptor " + socket.fd() + " '" + socket.name() + "'",
                    socket.name(),
                    access);
        }

        @Override
        public VhostUserEndpoint attach(VhostUserServer server, VirtioRngDevice device)
                throws IOException, BadUsageException {
            try {
                return server.inherit(InheritedFds.requireNotOwn(fd), access, device);
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

    /** Returns the absolute and normalized form of a path. Does not follow symbolic links. */
    static Path normalized(Path path) {
        return path.toAbsolutePath().normalize();
    }

    /** Returns the last element of a path. */
    static String fileName(Path path) {
        Path name = path.getFileName();
        return NativePath.text(name == null ? path : name);
    }
}
