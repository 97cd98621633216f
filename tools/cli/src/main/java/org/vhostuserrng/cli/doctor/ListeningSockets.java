package org.vhostuserrng.cli.doctor;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The listening UNIX sockets in /proc/PID/net/unix (proc_net_unix(5)), found without a connection: for the daemon, a
 * connection is a session. Such a table contains the sockets that were created in one network namespace; the units of
 * the package have namespaces of their own.
 */
final class ListeningSockets {
    /** Fields of a line: Num, RefCount, Protocol, Flags, Type, St, Inode, Path. */
    private static final int FLAGS = 3;

    private static final int TYPE = 4;
    private static final int INODE = 6;
    private static final int PATH = 7;

    /** __SO_ACCEPTCON, and SOCK_STREAM. */
    private static final String ACCEPTING = "00010000";

    private static final String STREAM = "0001";

    /** The daemon binds a socket with --socket-mode or --socket-group to this name, then links it to its path. */
    private static final String NEW = ".new";

    private final HostFiles files;

    /** Inode numbers by the name that the socket was bound to. */
    private final Map<String, Set<Long>> inodes = new HashMap<>();

    ListeningSockets(HostFiles files, List<HostProcess> processes) {
        this.files = files;
        tables(processes).forEach(table -> files.text(table).orElse("").lines().forEach(this::add));
    }

    private void add(String line) {
        String[] fields = line.strip().split(" +", PATH + 1);
        if (fields.length > PATH
                && fields[FLAGS].equals(ACCEPTING)
                && fields[TYPE].equals(STREAM)
                && fields[INODE].matches("[0-9]{1,18}")) {
            inodes.computeIfAbsent(fields[PATH], _ -> new LinkedHashSet<>()).add(Long.valueOf(fields[INODE]));
        }
    }

    /** Returns one table of each network namespace that can be identified, and the tables of all daemons. */
    private List<String> tables(List<HostProcess> processes) {
        List<String> tables = new ArrayList<>(List.of("/proc/self/net/unix"));
        Set<String> namespaces = new LinkedHashSet<>();
        files.link("/proc/self/ns/net").ifPresent(namespaces::add);
        for (HostProcess process : processes) {
            String directory = HostProcesses.directory(process.pid());
            // Only root, or the user of the process, may read the link.
            boolean isNew =
                    files.link(directory + "/ns/net").map(namespaces::add).orElse(process.isDaemon());
            if (isNew) {
                tables.add(directory + "/net/unix");
            }
        }
        return tables;
    }

    /**
     * Returns the inode numbers of the listening sockets that were bound to a path. More than one means that a file was
     * replaced.
     */
    Set<Long> boundTo(String path) {
        String real = files.realPath(path);
        Set<Long> found = new LinkedHashSet<>();
        for (String name : List.of(path, path + NEW, real, real + NEW)) {
            found.addAll(inodes.getOrDefault(name, Set.of()));
        }
        inodes.forEach((name, ofName) -> {
            if (isRelative(name) && (path.endsWith("/" + name) || (path + NEW).endsWith("/" + name))) {
                found.addAll(ofName);
            }
        });
        return found;
    }

    /** Whether a name is a path relative to the working directory of a process, and no abstract address (unix(7)). */
    private static boolean isRelative(String name) {
        return !name.startsWith("/") && !name.startsWith("@");
    }
}
