package org.vhostuserrng.daemon;

import java.nio.file.Path;
import org.vhostuserrng.transport.vhostuser.ListenerAccess;

/**
 * The control socket.
 *
 * @param access the permissions of its file
 */
record ControlSocketSettings(Path path, ListenerAccess access) {
    /**
     * The settings of the options; null without {@code --control-socket}.
     *
     * @throws BadUsageException if one of them is invalid
     */
    static ControlSocketSettings of(DaemonArguments arguments) throws BadUsageException {
        OptionValue path = arguments.value(DaemonOptions.CONTROL_SOCKET);
        ListenerAccess access = new AccessOptionParser(arguments).ofControlSocket();
        if (path != null) {
            return new ControlSocketSettings(SocketOptionParser.socketPath(path), access);
        }
        requireAbsent(arguments.value(DaemonOptions.CONTROL_SOCKET_MODE));
        requireAbsent(arguments.value(DaemonOptions.CONTROL_SOCKET_GROUP));
        return null;
    }

    private static void requireAbsent(OptionValue value) throws BadUsageException {
        if (value != null) {
            throw value.refused("expected only with " + DaemonOptions.CONTROL_SOCKET + "=PATH");
        }
    }
}
