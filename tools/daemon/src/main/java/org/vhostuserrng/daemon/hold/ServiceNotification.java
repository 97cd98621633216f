package org.vhostuserrng.daemon.hold;

import java.util.List;

/**
 * A notification of a service, as far as {@code hold} knows the assignments of sd_notify(3). Others are left out.
 *
 * @param barrier whether the sender waits until its descriptors are closed; then all others are false or null
 * @param watchdog whether the service is alive
 * @param status the state of the service in words; null if not given
 * @param storesFds whether the descriptors are to be stored
 * @param fdName the name of the descriptors to store or to remove; null if not given, or if it is not a valid name
 * @param fdPoll whether a descriptor that has hung up is to be removed from the store
 */
public record ServiceNotification(
        boolean barrier,
        boolean ready,
        boolean stopping,
        boolean watchdog,
        String status,
        boolean storesFds,
        boolean removesFds,
        String fdName,
        boolean fdPoll) {
    private static final ServiceNotification EMPTY =
            new ServiceNotification(false, false, false, false, null, false, false, null, true);
    private static final ServiceNotification BARRIER =
            new ServiceNotification(true, false, false, false, null, false, false, null, true);

    private static final String BARRIER_ASSIGNMENT = "BARRIER=1";
    private static final String FD_NAME = "FDNAME=";
    private static final String STATUS = "STATUS=";
    private static final int MAX_FD_NAME_LENGTH = 255;

    /** Parses a datagram. One with a NUL character, which no assignment may contain, has no effect. */
    public static ServiceNotification parse(String datagram) {
        // systemd permits a NUL at the end.
        String text = datagram.endsWith("\0") ? datagram.substring(0, datagram.length() - 1) : datagram;
        if (text.indexOf('\0') >= 0) {
            return EMPTY;
        }
        List<String> assignments = List.of(text.split("\n", -1));
        if (assignments.contains(BARRIER_ASSIGNMENT)) {
            return BARRIER;
        }
        boolean removesFds = assignments.contains("FDSTOREREMOVE=1");
        return new ServiceNotification(
                false,
                assignments.contains("READY=1"),
                assignments.contains("STOPPING=1"),
                assignments.contains("WATCHDOG=1"),
                value(assignments, STATUS),
                assignments.contains("FDSTORE=1") && !removesFds,
                removesFds,
                validFdName(value(assignments, FD_NAME)),
                !assignments.contains("FDPOLL=0"));
    }

    /** The value of the first assignment to a variable; null if there is none. */
    private static String value(List<String> assignments, String prefix) {
        for (String assignment : assignments) {
            if (assignment.startsWith(prefix)) {
                return assignment.substring(prefix.length());
            }
        }
        return null;
    }

    /** sd_pid_notify_with_fds(3), FDNAME: ASCII without control characters and colons, at most 255 characters. */
    private static String validFdName(String name) {
        if (name == null || name.length() > MAX_FD_NAME_LENGTH) {
            return null;
        }
        for (int i = 0; i < name.length(); i++) {
            char next = name.charAt(i);
            if (next < ' ' || next > '~' || next == ':') {
                return null;
            }
        }
        return name;
    }
}
