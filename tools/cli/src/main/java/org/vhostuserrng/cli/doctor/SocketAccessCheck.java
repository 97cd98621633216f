package org.vhostuserrng.cli.doctor;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Checks whether users may connect to a socket, by the permission bits of its file and of all directories above it. */
final class SocketAccessCheck implements HostCheck {
    private static final String ACCESS = "access";
    private static final String ACL = " ACLs are not looked at.";

    private final DaemonSocket socket;
    private final List<UserIds> users;
    private final HostFiles files;

    /** Creates a check of a socket for the users of VMMs. */
    SocketAccessCheck(DaemonSocket socket, List<UserIds> users, HostFiles files) {
        this.socket = socket;
        this.users = users;
        this.files = files;
    }

    @Override
    public List<CheckResult> run() {
        if (users.isEmpty()) {
            return List.of(CheckResult.notChecked(
                    ACCESS,
                    "No user of a VMM is known for " + socket.path() + ".",
                    "Name the user that runs the VMs, such as --user=libvirt-qemu."));
        }
        List<CheckResult> results = new ArrayList<>();
        for (UserIds user : users) {
            results.add(check(user));
        }
        return results;
    }

    private CheckResult check(UserIds user) {
        String path = files.realPath(socket.path());
        try {
            Optional<CheckResult> unreachable = unreachable(path, user);
            if (unreachable.isPresent()) {
                return unreachable.get();
            }
            Optional<HostFileStatus> status = files.status(path);
            if (status.isEmpty()) {
                return CheckResult.notChecked(
                        ACCESS,
                        user.name() + " may reach the directory of " + socket.path() + ". The socket does not exist."
                                + ACL,
                        "Check again when the daemon listens.");
            }
            // unix(7): connecting needs write permission on the socket's file.
            if (!status.get().grants(user, HostFileStatus.WRITE)) {
                return CheckResult.problem(
                        ACCESS,
                        user.name() + " may not write to " + path + " (" + status.get() + ")." + ACL,
                        "Give the socket a group of this user: socket-group = \"kvm\" and socket-mode = \"0660\", or"
                                + " SocketGroup= and SocketMode= of the socket unit.");
            }
            return CheckResult.ok(ACCESS, user.name() + " may write to " + path + "." + ACL);
        } catch (IOException unknown) {
            return CheckResult.notChecked(
                    ACCESS, "The permissions above " + path + " cannot be read.", "Run this as root.");
        }
    }

    private Optional<CheckResult> unreachable(String path, UserIds user) throws IOException {
        for (String directory : directoriesAbove(path)) {
            Optional<HostFileStatus> status = files.status(directory);
            if (status.isPresent() && !status.get().grants(user, HostFileStatus.SEARCH)) {
                return Optional.of(CheckResult.problem(
                        ACCESS,
                        user.name() + " may not search the directory " + directory + " (" + status.get() + ")." + ACL,
                        "Put the socket in a directory such as /run/vhost-user-rng, or let this user search the"
                                + " directory: chmod o+x " + directory + "."));
            }
        }
        return Optional.empty();
    }

    private static List<String> directoriesAbove(String path) {
        List<String> directories = new ArrayList<>();
        for (int slash = path.indexOf('/', 1); slash > 0; slash = path.indexOf('/', slash + 1)) {
            directories.add(path.substring(0, slash));
        }
        return directories;
    }
}
