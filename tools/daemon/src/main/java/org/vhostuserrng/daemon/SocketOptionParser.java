package org.vhostuserrng.daemon;

import java.io.IOException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.vhostuserrng.libc.NativePath;
import org.vhostuserrng.libc.NativeText;
import org.vhostuserrng.transport.systemd.ListenFds;
import org.vhostuserrng.transport.vhostuser.ListenerAccess;
import org.vhostuserrng.transport.vhostuser.server.VhostUserServer;

/** Parses the options that name sockets, and reads LISTEN_FDS of the service manager. Has no side effects. */
final class SocketOptionParser {
    /** The size of sun_path in struct sockaddr_un, without the terminating zero. */
    private static final int MAX_SOCKET_PATH_BYTES = 107;

    private static final String ADDED_SOCKET = "socket";
    /** Precedes the path of a socket for vfio-user in {@code ctl add}. */
    static final String ADDED_VFIO_USER = GuestOptions.VFIO_USER + "=";

    /** The kinds of sockets that cannot be combined. */
    private static final String EXCLUSIVE_SOCKETS =
            "--socket-path=PATH, --connect=PATH, --fd=N and sockets of the service manager (LISTEN_FDS)";

    /** The value of a numeric option that is absent. */
    private static final int NOT_GIVEN = -1;

    private final DaemonArguments arguments;
    private final List<GuestOptions> inOrder;
    private final Map<String, GuestOptions> guests = new HashMap<>();
    private final AccessOptionParser accessParser;
    private final ListenerAccess accessOfAll;

    private SocketOptionParser(DaemonArguments arguments, List<GuestOptions> guests) throws BadUsageException {
        this.arguments = arguments;
        this.inOrder = guests;
        this.accessParser = new AccessOptionParser(arguments);
        this.accessOfAll = accessParser.ofAll();
        for (GuestOptions guest : guests) {
            this.guests.put(guest.name(), guest);
        }
    }

    /**
     * Returns all sockets, at least one: first those of the options or of the service manager, then those of the
     * guests' sections.
     */
    static List<RngEndpoint> parse(DaemonArguments arguments, List<GuestOptions> guests) throws BadUsageException {
        return new SocketOptionParser(arguments, guests).endpoints();
    }

    /**
     * Returns a socket that {@code ctl add} adds to the running daemon: for vhost-user, or for vfio-user with the key
     * {@code vfio-user=} before the path.
     *
     * @param inForce its access settings are those of the same socket, if the settings contain it, else those for all
     */
    static RngEndpoint addedSocket(String argument, DaemonSettings inForce) throws BadUsageException {
        RngEndpoint added = addedSocket(argument, inForce.accessOfAll());
        return inForce.endpoints().stream()
                .filter(socket -> socket.identity().equals(added.identity()))
                .findFirst()
                .orElse(added);
    }

    private static RngEndpoint addedSocket(String argument, ListenerAccess access) throws BadUsageException {
        if (argument.startsWith(ADDED_VFIO_USER)) {
            Path path = addedPath(GuestOptions.VFIO_USER, argument.substring(ADDED_VFIO_USER.length()));
            return new RngEndpoint.VfioUserPath(path, RngEndpoint.fileName(path), access);
        }
        Path path = addedPath(ADDED_SOCKET, argument);
        return new RngEndpoint.ListeningPath(path, RngEndpoint.fileName(path), access);
    }

    private static Path addedPath(String name, String text) throws BadUsageException {
        return socketPath(new OptionValue(name, text));
    }

    /** Returns the path of a socket; refuses a path that is empty or too long for sun_path. */
    static Path socketPath(OptionValue value) throws BadUsageException {
        requireSocketPathLength(value, value.text());
        return path(value, value.text());
    }

    /** Returns the descriptors that the service manager stored for an earlier process of this service. */
    static List<ListenFds.NamedFd> storedFds() throws BadUsageException {
        return listenFds().stream().filter(SocketOptionParser::isStored).toList();
    }

    private List<RngEndpoint> endpoints() throws BadUsageException {
        List<RngEndpoint> endpoints = new ArrayList<>(endpointsOfAll());
        Set<Object> names = new HashSet<>();
        Set<Object> paths = new HashSet<>();
        for (RngEndpoint endpoint : endpoints) {
            if (!names.add(endpoint.guestName()) && endpoint instanceof RngEndpoint.VfioUserPath) {
                throw new BadUsageException(
                        DaemonOptions.VFIO_USER + ": another socket has the name '" + endpoint.guestName() + "'");
            }
            Path path = endpoint.listeningPath();
            if (path != null && !paths.add(path)) {
                throw new BadUsageException("'" + NativePath.text(path) + "': expected each path once");
            }
        }
        for (GuestOptions guest : inOrder) {
            RngEndpoint own = ownSocket(guest, paths);
            if (own != null) {
                if (!names.add(guest.name())) {
                    throw ownSocketValue(guest)
                            .refused("another socket has the name '" + guest.name() + "'; expected no socket-path");
                }
                endpoints.add(own);
            }
        }
        if (endpoints.size() > DaemonCommand.MAX_SOCKETS) {
            throw new BadUsageException(
                    "expected at most " + DaemonCommand.MAX_SOCKETS + " sockets, not " + endpoints.size());
        }
        return endpoints;
    }

    /** The option that names the guest's own socket; null for none. */
    private static OptionValue ownSocketValue(GuestOptions guest) {
        OptionValue vfioUser = guest.value(GuestOptions.VFIO_USER);
        return vfioUser == null ? guest.value(GuestOptions.SOCKET_PATH) : vfioUser;
    }

    /** The guest's own socket; null for none. */
    private RngEndpoint ownSocket(GuestOptions guest, Set<Object> paths) throws BadUsageException {
        OptionValue value = ownSocketValue(guest);
        if (value == null) {
            return null;
        }
        boolean vfioUser = guest.value(GuestOptions.VFIO_USER) != null;
        if (vfioUser && guest.value(GuestOptions.SOCKET_PATH) != null) {
            throw value.refused("expected no socket-path as well");
        }
        Path path = socketPath(value);
        if (!paths.add(RngEndpoint.normalized(path))) {
            throw value.refused("expected each path once");
        }
        ListenerAccess access = access(guest.name());
        return vfioUser
                ? new RngEndpoint.VfioUserPath(path, guest.name(), access)
                : new RngEndpoint.ListeningPath(path, guest.name(), access);
    }

    /** The sockets that belong to no single guest. */
    private List<RngEndpoint> endpointsOfAll() throws BadUsageException {
        List<RngEndpoint> vfioUser = vfioUserPaths();
        List<RngEndpoint> endpoints = new ArrayList<>(vhostUserSockets(!vfioUser.isEmpty()));
        endpoints.addAll(vfioUser);
        return endpoints;
    }

    /** The sockets of {@code --vfio-user}. */
    private List<RngEndpoint> vfioUserPaths() throws BadUsageException {
        List<RngEndpoint> endpoints = new ArrayList<>();
        for (OptionValue value : arguments.values(DaemonOptions.VFIO_USER)) {
            Path path = socketPath(value);
            String guestName = RngEndpoint.fileName(path);
            endpoints.add(new RngEndpoint.VfioUserPath(path, guestName, access(guestName)));
        }
        return endpoints;
    }

    /**
     * The sockets of vhost-user front-ends that belong to no single guest.
     *
     * @param optional whether there may be none
     */
    private List<RngEndpoint> vhostUserSockets(boolean optional) throws BadUsageException {
        OptionValue socketPath = arguments.value(DaemonOptions.SOCKET_PATH);
        OptionValue connect = arguments.value(DaemonOptions.CONNECT);
        List<RngEndpoint> inherited = inheritedFds();
        List<RngEndpoint> passed = listeningFds();
        OptionValue countOption = arguments.value(DaemonOptions.SOCKET_COUNT);
        int count = countOption == null ? NOT_GIVEN : (int) countOption.number(DaemonOptionRange.SOCKET_COUNT);
        requireOneKind(optional, socketPath != null, connect != null, !inherited.isEmpty(), !passed.isEmpty());
        if (socketPath == null && count != NOT_GIVEN) {
            throw countOption.refused("expected only with --socket-path=PATH");
        }
        if (socketPath != null) {
            return listeningPaths(socketPath, count);
        }
        if (connect != null) {
            requireSocketPathLength(connect, connect.text());
            return List.of(new RngEndpoint.FrontendPath(path(connect, connect.text())));
        }
        return inherited.isEmpty() ? passed : inherited;
    }

    private void requireOneKind(boolean optional, boolean... given) throws BadUsageException {
        int count = 0;
        for (boolean kind : given) {
            count += kind ? 1 : 0;
        }
        boolean guestsHaveSockets = guests.values().stream().anyMatch(guest -> ownSocketValue(guest) != null);
        if (count > 1) {
            throw new BadUsageException("expected only one of " + EXCLUSIVE_SOCKETS);
        }
        if (count == 0 && !optional && !guestsHaveSockets) {
            throw withoutSocket();
        }
    }

    private BadUsageException withoutSocket() {
        for (GuestOptions guest : inOrder) {
            if (guest.inFile()) {
                return new BadUsageException(guest.origin() + ": expected the key socket-path or vfio-user, or one of "
                        + DaemonOptions.VFIO_USER + "=PATH, " + EXCLUSIVE_SOCKETS);
            }
        }
        return new BadUsageException("expected one of " + DaemonOptions.VFIO_USER + "=PATH, " + EXCLUSIVE_SOCKETS
                + (arguments.has(DaemonOptions.CONFIG) ? ", or a guest with a socket-path in the files" : ""));
    }

    /**
     * Checks that an option names no descriptor that the service manager passes in LISTEN_FDS, such as a session.
     */
    static void requireNotPassed(OptionValue option, int number) throws BadUsageException {
        requireNotPassed(option, number, listenFds());
    }

    static void requireNotPassed(OptionValue option, int number, List<ListenFds.NamedFd> passed)
            throws BadUsageException {
        for (ListenFds.NamedFd fd : passed) {
            if (fd.fd() == number) {
                throw option.refused("the service manager passes '" + fd.name()
                        + "' as this descriptor (LISTEN_FDS); expected another one");
            }
        }
    }

    /** Returns the sockets of {@code --fd}. */
    private List<RngEndpoint> inheritedFds() throws BadUsageException {
        List<RngEndpoint> endpoints = new ArrayList<>();
        for (OptionValue value : arguments.values(DaemonOptions.FD)) {
            int fd = (int) value.number(DaemonOptionRange.FD);
            requireNotPassed(value, fd);
            RngEndpoint endpoint = RngEndpoint.InheritedFd.ofOption(fd, access("fd " + fd));
            if (endpoints.contains(endpoint)) {
                throw new BadUsageException(value.name() + "=" + fd + ": expected each descriptor once");
            }
            endpoints.add(endpoint);
        }
        return endpoints;
    }

    /** Returns the sockets that the service manager passes in LISTEN_FDS, without stored descriptors. */
    private List<RngEndpoint> listeningFds() throws BadUsageException {
        List<RngEndpoint> endpoints = new ArrayList<>();
        for (ListenFds.NamedFd fd : listenFds()) {
            if (!isStored(fd)) {
                endpoints.add(RngEndpoint.InheritedFd.ofServiceManager(fd, access(fd.name())));
            }
        }
        return endpoints;
    }

    private ListenerAccess access(String guestName) throws BadUsageException {
        GuestOptions own = guests.get(guestName);
        return own == null ? accessOfAll : accessParser.of(own);
    }

    private static boolean isStored(ListenFds.NamedFd fd) {
        return VhostUserServer.isStoredSession(fd.name()) || HostState.isStored(fd.name());
    }

    private static List<ListenFds.NamedFd> listenFds() throws BadUsageException {
        try {
            return ListenFds.of(System.getenv(), ProcessHandle.current().pid());
        } catch (IOException malformed) {
            throw new BadUsageException(malformed.getMessage(), malformed);
        }
    }

    private List<RngEndpoint> listeningPaths(OptionValue path, int count) throws BadUsageException {
        List<RngEndpoint> endpoints = new ArrayList<>();
        if (count == NOT_GIVEN) {
            requireSocketPathLength(path, path.text());
            endpoints.add(listening(path, path.text()));
        } else {
            requireSocketPathLength(path, path.text() + (count - 1));
            for (int i = 0; i < count; i++) {
                endpoints.add(listening(path, path.text() + i));
            }
        }
        return endpoints;
    }

    private RngEndpoint listening(OptionValue option, String text) throws BadUsageException {
        Path path = path(option, text);
        String guestName = RngEndpoint.fileName(path);
        return new RngEndpoint.ListeningPath(path, guestName, access(guestName));
    }

    /** Converts the text of an option to a path. */
    static Path path(OptionValue option, String text) throws BadUsageException {
        try {
            return NativePath.of(text);
        } catch (InvalidPathException invalid) {
            throw new BadUsageException(option.name() + "='" + text + "': expected a path", invalid);
        }
    }

    private static void requireSocketPathLength(OptionValue option, String longestPath) throws BadUsageException {
        int length = NativeText.encode(longestPath).length;
        if (length == 0 || length > MAX_SOCKET_PATH_BYTES) {
            throw option.refused("expected a path of 1 to " + MAX_SOCKET_PATH_BYTES + " bytes, not " + length
                    + (longestPath.equals(option.text()) ? "" : " with the socket's number"));
        }
    }
}
