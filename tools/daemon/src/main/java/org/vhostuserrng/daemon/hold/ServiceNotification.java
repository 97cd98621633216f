package org.vhostuserrng.daemon.hold;

import java.util.List;

/**
 * A notification of a service: the assignments of sd_notify(3) that {@code hold} supports. Other assignments are
 * ignored.
 *
 * @param barrier whether the sender waits until its descriptors are closed; all other components are then false or null
 * @param watchdog whether the datagram contains WATCHDOG=1: the service is alive
 * @param status the state of the service as text; null if the datagram contains none
 * @param storesFds whether the descriptors are to be stored
 * @param fdName the name of the descriptors to store or to remove; null if the datagram contains no valid name
 * @param fdPoll whether the store may remove a descriptor whose other end has hung up
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

    /**
     * Parses a datagram. A datagram with a NUL character within it is ignored, because no assignment may contain NUL.
     */
    public static ServiceNotification parse(String datagram) {
        // systemd accepts a datagram that ends with NUL.
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

    /** Returns the value of the first assignment with a prefix such as {@code STATUS=}; null if there is none. */
    private static String value(List<String> assignments, String prefix) {
        for (String assignment : assignments) {
            if (assignment.startsWith(prefix)) {
                return assignment.substring(prefix.length());
            }
        }
        return null;
    }

    /**
     * Returns the name if it is valid, otherwise null. sd_pid_notify_with_fds(3), FDNAME: at most 255 ASCII characters,
     * no control characters and no colons.
     */
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
