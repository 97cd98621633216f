package org.vhostuserrng.cli.doctor;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The processes of the host, as procfs (proc_pid(5)) shows them. A process may end at any time. */
final class HostProcesses {
    private static final String ROOT_UID = "0";

    private static final Pattern SOCKET = Pattern.compile("socket:\\[([0-9]{1,18})]");

    private final HostFiles files;
    private final List<HostProcess> all;
    /** The processes that have a socket open, by its inode number; empty until it is needed. */
    private final Map<Long, List<HostProcess>> owners = new HashMap<>();

    HostProcesses(HostFiles files) {
        this.files = files;
        all = files.list("/proc").stream()
                .filter(name -> name.matches("[1-9][0-9]{0,8}"))
                .map(Integer::valueOf)
                .sorted()
                .map(pid -> new HostProcess(pid, arguments(pid)))
                .toList();
    }

    /** Returns all processes in the order of their IDs. */
    List<HostProcess> all() {
        return all;
    }

    private List<String> arguments(int pid) {
        String text = files.text(directory(pid) + "/cmdline").orElse("");
        return text.isEmpty() ? List.of() : Arrays.asList(text.split("\0"));
    }

    static String directory(int pid) {
        return "/proc/" + pid;
    }

    /** Returns whether this process is root, which may read the procfs files of other users' processes. */
    boolean isRoot() {
        return statusValues("/proc/self", "Uid:").stream().skip(1).findFirst().equals(Optional.of(ROOT_UID));
    }

    /** Returns the effective user and the groups of a process; empty if it has ended. */
    Optional<UserIds> user(int pid) {
        List<String> uids = statusValues(directory(pid), "Uid:");
        List<String> gids = statusValues(directory(pid), "Gid:");
        if (uids.size() < 2 || gids.size() < 2) {
            return Optional.empty();
        }
        Set<Long> groups = new LinkedHashSet<>();
        groups.add(Long.valueOf(gids.get(1)));
        statusValues(directory(pid), "Groups:").forEach(group -> groups.add(Long.valueOf(group)));
        return Optional.of(
                new UserIds("the user " + uids.get(1) + " of process " + pid, Long.parseLong(uids.get(1)), groups));
    }

    private List<String> statusValues(String directory, String key) {
        return files.text(directory + "/status")
                .orElse("")
                .lines()
                .filter(line -> line.startsWith(key))
                .map(line -> line.substring(key.length()).strip())
                .filter(values -> !values.isEmpty())
                .flatMap(values -> Arrays.stream(values.split("\\s+")))
                .toList();
    }

    /** Returns the processes that have a socket open. Only root sees those of other users. */
    List<HostProcess> owners(long socketInode) {
        if (owners.isEmpty()) {
            all().forEach(this::addSockets);
        }
        return owners.getOrDefault(socketInode, List.of());
    }

    private void addSockets(HostProcess process) {
        String descriptors = directory(process.pid()) + "/fd";
        Set<String> targets = new LinkedHashSet<>();
        files.list(descriptors).forEach(fd -> files.link(descriptors + "/" + fd).ifPresent(targets::add));
        for (String target : targets) {
            Matcher socket = SOCKET.matcher(target);
            if (socket.matches()) {
                owners.computeIfAbsent(Long.valueOf(socket.group(1)), _ -> new ArrayList<>())
                        .add(process);
            }
        }
    }

    /** Returns the name of the systemd unit of a process (cgroups(7)); empty if it is in none. */
    Optional<String> systemdService(int pid) {
        return files.text(directory(pid) + "/cgroup")
                .orElse("")
                .lines()
                .filter(line -> line.endsWith(".service"))
                .map(line -> line.substring(line.lastIndexOf('/') + 1))
                .findFirst();
    }
}
