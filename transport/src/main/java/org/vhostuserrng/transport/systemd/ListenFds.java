package org.vhostuserrng.transport.systemd;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.IntFunction;
import org.vhostuserrng.libc.OwnedFd;
import org.vhostuserrng.transport.sys.UnixListeningSocket;

/** Reads which sockets the service manager passes to this process (sd_listen_fds(3)). */
public final class ListenFds {
    private static final String LISTEN_PID = "LISTEN_PID";
    private static final String LISTEN_FDS = "LISTEN_FDS";
    private static final String LISTEN_FDNAMES = "LISTEN_FDNAMES";
    /** SD_LISTEN_FDS_START. */
    private static final int FIRST_FD = 3;
    /** systemd's default hard limit for the descriptors of a service is 512 Ki. */
    private static final int MAX_FDS = 1 << 19;

    private ListenFds() {}

    /**
     * A passed socket.
     *
     * @param fd the number of the descriptor
     * @param name the name of the descriptor; which one depends on the method that returned this object
     */
    public record NamedFd(int fd, String name) {}

    /**
     * Returns the passed sockets with unique names, in order; empty if there are none or if they are meant for another
     * process.
     *
     * <p>A unit names its sockets with FileDescriptorName; without this setting, all of them have the name of the unit.
     * Therefore the file name of the socket's path replaces a unit's name, and a name that several sockets share.
     *
     * @param environment the variables LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES
     * @param pid the ID of this process
     * @throws IOException if a variable is malformed, or if two sockets have the same name
     */
    public static List<NamedFd> of(Map<String, String> environment, long pid) throws IOException {
        return of(environment, pid, fd -> UnixListeningSocket.fileName(new OwnedFd(fd)));
    }

    /**
     * Returns the passed descriptors with the names from LISTEN_FDNAMES; empty names without this variable. Several
     * descriptors may have the same name.
     *
     * @param environment the variables LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES
     * @param pid the ID of this process
     * @throws IOException if a variable is malformed
     */
    public static List<NamedFd> withNamesOfManager(Map<String, String> environment, long pid) throws IOException {
        if (!Long.toString(pid).equals(environment.get(LISTEN_PID))) {
            return List.of();
        }
        int count = count(environment.getOrDefault(LISTEN_FDS, "0"));
        List<String> names = unitNames(environment.get(LISTEN_FDNAMES), count);
        List<NamedFd> passed = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            passed.add(new NamedFd(FIRST_FD + i, names.get(i)));
        }
        return passed;
    }

    /**
     * Returns the passed sockets, as {@link #of(Map, long)}.
     *
     * @param fileName returns the file name of the path of a socket, or null
     */
    static List<NamedFd> of(Map<String, String> environment, long pid, IntFunction<String> fileName)
            throws IOException {
        if (!Long.toString(pid).equals(environment.get(LISTEN_PID))) {
            return List.of();
        }
        int count = count(environment.getOrDefault(LISTEN_FDS, "0"));
        List<String> unitNames = unitNames(environment.get(LISTEN_FDNAMES), count);
        List<NamedFd> sockets = new ArrayList<>(count);
        Set<String> names = new HashSet<>();
        for (int i = 0; i < count; i++) {
            String name = name(unitNames, i, fileName);
            if (!names.add(name)) {
                throw new IOException(LISTEN_FDS + "=" + count + ": two sockets have the name '" + name
                        + "'; expected a different FileDescriptorName or file name for each");
            }
            sockets.add(new NamedFd(FIRST_FD + i, name));
        }
        return sockets;
    }

    private static String name(List<String> unitNames, int index, IntFunction<String> fileName) {
        String unitName = unitNames.get(index);
        boolean unique = unitNames.indexOf(unitName) == unitNames.lastIndexOf(unitName);
        if (unique && !unitName.isEmpty() && !unitName.endsWith(".socket")) {
            return unitName;
        }
        String ofPath = fileName.apply(FIRST_FD + index);
        return ofPath != null ? ofPath : "fd " + (FIRST_FD + index);
    }

    private static int count(String value) throws IOException {
        try {
            int count = Integer.parseInt(value);
            if (count >= 0 && count <= MAX_FDS) {
                return count;
            }
        } catch (NumberFormatException notANumber) {
            // Reported below.
        }
        throw new IOException(LISTEN_FDS + "='" + value + "': expected a number from 0 to " + MAX_FDS);
    }

    /** Returns the names in LISTEN_FDNAMES, one per socket; empty strings without this variable. */
    private static List<String> unitNames(String value, int count) throws IOException {
        if (value == null || count == 0) {
            return Collections.nCopies(count, "");
        }
        List<String> names = List.of(value.split(":", -1));
        if (names.size() != count) {
            throw new IOException(
                    LISTEN_FDNAMES + "='" + value + "': expected " + count + " names separated by colons");
        }
        return names;
    }
}
