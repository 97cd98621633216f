package org.vhostuserrng.daemon;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.vhostuserrng.transport.vhostuser.ListenerAccess;
import org.vhostuserrng.transport.vhostuser.VhostUserOptions;

/** Compares the settings that take effect only when the daemon starts with those in force. */
final class RestartRequiredSettings {
    /** Maximum number of guests that are named if the permissions of their sockets differ. */
    private static final int MAX_NAMED = 3;

    private final List<String> pending = new ArrayList<>();

    private RestartRequiredSettings() {}

    /**
     * Returns the settings that a restart would change: the names of options, and the guests whose sockets would get
     * other permissions.
     *
     * @param started the settings of the start
     * @param next the settings that the files contain
     * @param guests the guests with the sockets that are in use
     */
    static List<String> pending(DaemonSettings started, DaemonSettings next, List<RngGuest> guests) {
        RestartRequiredSettings settings = new RestartRequiredSettings();
        settings.compareOptions(started, next);
        settings.compareMemory(started, next);
        settings.compareControlSocket(started.controlSocket(), next.controlSocket());
        settings.compare(DaemonOptions.COUNTERS_FILE, started.countersFile(), next.countersFile());
        settings.compareAccess(guests, next.endpoints());
        return List.copyOf(settings.pending);
    }

    private void compare(String option, Object started, Object next) {
        if (!Objects.equals(started, next)) {
            pending.add(DaemonArguments.name(option));
        }
    }

    private void compareOptions(DaemonSettings started, DaemonSettings next) {
        VhostUserOptions before = started.sessionOptions();
        VhostUserOptions after = next.sessionOptions();
        compare(
                DaemonOptions.PACKED,
                started.features().packed(),
                next.features().packed());
        compare(
                DaemonOptions.IN_ORDER,
                started.features().inOrder(),
                next.features().inOrder());
        compare(DaemonOptions.ACCESS_PLATFORM, before.accessPlatform(), after.accessPlatform());
        compare(DaemonOptions.MEM_SLOTS, before.memSlots(), after.memSlots());
        compare(DaemonOptions.REQUIRE_SEALED_MEMORY, before.sealedMemoryOnly(), after.sealedMemoryOnly());
        compare(DaemonOptions.ALLOW_MEMORY_ON, before.memoryFileSystems(), after.memoryFileSystems());
        compare(DaemonOptions.SPIN, before.busyPollNanos(), after.busyPollNanos());
    }

    /** Does not compare two defaults, because the default depends on the number of sockets. */
    private void compareMemory(DaemonSettings started, DaemonSettings next) {
        if (started.hasMaxGuestMemory() || next.hasMaxGuestMemory()) {
            compare(
                    DaemonOptions.MAX_GUEST_MEMORY,
                    started.sessionOptions().maxMemoryBytes(),
                    next.sessionOptions().maxMemoryBytes());
        }
    }

    private void compareControlSocket(ControlSocketSettings started, ControlSocketSettings next) {
        compare(DaemonOptions.CONTROL_SOCKET, path(started), path(next));
        if (started != null && next != null) {
            ListenerAccess before = started.access();
            ListenerAccess after = next.access();
            compare(DaemonOptions.CONTROL_SOCKET_MODE, before.mode(), after.mode());
            compare(DaemonOptions.CONTROL_SOCKET_GROUP, before.group(), after.group());
        }
    }

    private static Object path(ControlSocketSettings controlSocket) {
        return controlSocket == null ? null : controlSocket.path();
    }

    private void compareAccess(List<RngGuest> guests, List<RngEndpoint> next) {
        Map<Object, RngEndpoint> configured =
                next.stream().collect(Collectors.toMap(RngEndpoint::identity, Function.identity(), (a, _) -> a));
        List<String> names = guests.stream()
                .filter(guest -> {
                    RngEndpoint socket = configured.get(guest.socket().identity());
                    return socket != null
                            && !socket.access().equals(guest.socket().access());
                })
                .map(RngGuest::name)
                .toList();
        if (!names.isEmpty()) {
            int named = Math.min(names.size(), MAX_NAMED);
            pending.add("permissions of the sockets of " + String.join(", ", names.subList(0, named))
                    + (named < names.size() ? " and " + (names.size() - named) + " more guests" : ""));
        }
    }
}
