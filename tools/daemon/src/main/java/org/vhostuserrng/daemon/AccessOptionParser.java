package org.vhostuserrng.daemon;

import java.util.HashSet;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Function;
import org.vhostuserrng.libc.UserDatabase;
import org.vhostuserrng.transport.vhostuser.ListenerAccess;

/**
 * Parses the options that decide who may connect to a socket: the mode and group of the socket's file, and the users
 * and groups whose processes may connect.
 */
final class AccessOptionParser {
    private static final int DEFAULT_MODE_WITH_GROUP = 0660;
    private static final int MAX_MODE = 0777;
    private static final int OCTAL = 8;
    /** The largest uid or gid. chown(2) uses −1 for "do not change". */
    private static final long MAX_ID = 0xffff_fffeL;

    private final DaemonArguments arguments;

    AccessOptionParser(DaemonArguments arguments) {
        this.arguments = arguments;
    }

    /** The access settings for all guests. */
    ListenerAccess ofAll() throws BadUsageException {
        return access(
                arguments.value(DaemonOptions.SOCKET_MODE),
                arguments.value(DaemonOptions.SOCKET_GROUP),
                arguments.values(DaemonOptions.ALLOW_UID),
                arguments.values(DaemonOptions.ALLOW_GID));
    }

    /** The access settings of one guest: its own options, and the options for all guests where it has none. */
    ListenerAccess of(GuestOptions guest) throws BadUsageException {
        OptionValue mode = guest.value(DaemonArguments.name(DaemonOptions.SOCKET_MODE));
        OptionValue group = guest.value(DaemonArguments.name(DaemonOptions.SOCKET_GROUP));
        List<OptionValue> uids = guest.values(DaemonArguments.name(DaemonOptions.ALLOW_UID));
        List<OptionValue> gids = guest.values(DaemonArguments.name(DaemonOptions.ALLOW_GID));
        boolean ownPeers = !uids.isEmpty() || !gids.isEmpty();
        return access(
                mode == null ? arguments.value(DaemonOptions.SOCKET_MODE) : mode,
                group == null ? arguments.value(DaemonOptions.SOCKET_GROUP) : group,
                ownPeers ? uids : arguments.values(DaemonOptions.ALLOW_UID),
                ownPeers ? gids : arguments.values(DaemonOptions.ALLOW_GID));
    }

    private static ListenerAccess access(
            OptionValue mode, OptionValue group, List<OptionValue> uids, List<OptionValue> gids)
            throws BadUsageException {
        return new ListenerAccess(
                mode(mode, group != null),
                group == null ? ListenerAccess.UNCHANGED : id(group, group.text(), "group", UserDatabase::groupId),
                ids(uids, "user", UserDatabase::userId),
                ids(gids, "group", UserDatabase::groupId));
    }

    private static int mode(OptionValue value, boolean hasGroup) throws BadUsageException {
        if (value == null) {
            return hasGroup ? DEFAULT_MODE_WITH_GROUP : ListenerAccess.UNCHANGED;
        }
        boolean octal = value.text().matches("[0-7]{1,5}");
        int mode = octal ? Integer.parseInt(value.text(), OCTAL) : Integer.MAX_VALUE;
        if (mode > MAX_MODE) {
            throw value.refused("expected an octal mode from 0000 to 0777, such as 0660");
        }
        return mode;
    }

    private static Set<Integer> ids(List<OptionValue> values, String kind, Function<String, OptionalInt> byName)
            throws BadUsageException {
        Set<Integer> ids = new HashSet<>();
        for (OptionValue value : values) {
            for (String text : value.text().split(",", -1)) {
                ids.add(id(value, text, kind, byName));
            }
        }
        return ids;
    }

    /** Returns the uid or gid that {@code text} contains as a number or as a name. */
    private static int id(OptionValue option, String text, String kind, Function<String, OptionalInt> byName)
            throws BadUsageException {
        if (text.matches("[0-9]{1,10}")) {
            long number = Long.parseLong(text);
            if (number <= MAX_ID) {
                return (int) number;
            }
        } else if (!text.isEmpty() && text.indexOf('\0') < 0) {
            OptionalInt id = byName.apply(text);
            if (id.isPresent()) {
                return id.getAsInt();
            }
        }
        throw option.refused("expected the name of a " + kind + " of this system, or a number from 0 to " + MAX_ID);
    }
}
