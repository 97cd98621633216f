package org.vhostuserrng.cli.doctor;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The settings of a daemon, from the output of its {@code --check-config}.
 *
 * @param sockets the paths on which it listens
 * @param vfioUserSockets the paths among them that are for vfio-user
 * @param sources the expressions of its sources
 * @param guestCount the number of its sockets, including sockets without a path
 * @param controlSocket path of the control socket; empty if there is none
 */
record DaemonConfiguration(
        List<String> sockets,
        List<String> vfioUserSockets,
        List<String> sources,
        int guestCount,
        Optional<String> controlSocket) {
    static final DaemonConfiguration NONE =
            new DaemonConfiguration(List.of(), List.of(), List.of(), 0, Optional.empty());

    private static final Pattern GUEST = Pattern.compile(
            "guest .*?: (?:listening (for vfio-user )?on (/.*?)|.*?), source (.*), (?:no limit|max-bytes"
                    + " |ops ).*");

    private static final Pattern CONTROL_SOCKET = Pattern.compile("all guests: .*control-socket (/.*?)(?:, .*)?");

    /** Parses the output of {@code --check-config}. */
    static DaemonConfiguration parse(String report) {
        List<String> sockets = new ArrayList<>();
        List<String> vfioUserSockets = new ArrayList<>();
        List<String> sources = new ArrayList<>();
        int guestCount = 0;
        Optional<String> controlSocket = Optional.empty();
        for (String line : report.lines().toList()) {
            Matcher guest = GUEST.matcher(line);
            Matcher control = CONTROL_SOCKET.matcher(line);
            if (guest.matches()) {
                guestCount++;
                sources.add(guest.group(3));
                if (guest.group(2) != null) {
                    sockets.add(guest.group(2));
                }
                if (guest.group(1) != null) {
                    vfioUserSockets.add(guest.group(2));
                }
            } else if (control.matches()) {
                controlSocket = Optional.of(control.group(1));
            }
        }
        return new DaemonConfiguration(
                List.copyOf(sockets),
                List.copyOf(vfioUserSockets),
                sources.stream().distinct().toList(),
                guestCount,
                controlSocket);
    }
}
