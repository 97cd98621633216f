package org.vhostuserrng.cli.doctor;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.vhostuserrng.cli.doctor.HostCommands.Output;

/** A root directory with a fake procfs and fake programs. */
final class FakeHost implements HostCommands {
    /** A user that is neither the owner of the test's files nor in their group. */
    static final UserIds OTHER_USER = new UserIds("libvirt-qemu", 64055, Set.of(64055L));

    private final Path root;
    private final Map<List<String>, Output> outputs = new HashMap<>();
    private final StringBuilder sockets =
            new StringBuilder("Num       RefCount Protocol Flags    Type St Inode Path\n");

    FakeHost(Path root) throws IOException {
        // The directory of the test is accessible to its owner only.
        this.root = root;
        chmod("/", "rwxr-xr-x");
        file("/proc/self/status", "Name:\tjava\nUid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nGroups:\t0 \n");
        file("/proc/self/net/unix", sockets.toString());
        symbolicLink("/proc/self/ns/net", "net:[1]");
    }

    HostFiles files() {
        return new HostFiles(root);
    }

    Path path(String absolute) {
        return root.resolve(absolute.substring(1));
    }

    void file(String path, String text) throws IOException {
        directory(path.substring(0, path.lastIndexOf('/')));
        Files.writeString(path(path), text);
    }

    void directory(String path) throws IOException {
        Files.createDirectories(path(path));
    }

    void symbolicLink(String path, String target) throws IOException {
        directory(path.substring(0, path.lastIndexOf('/')));
        Files.createSymbolicLink(path(path), Path.of(target));
    }

    void chmod(String path, String permissions) throws IOException {
        Files.setPosixFilePermissions(path(path), PosixFilePermissions.fromString(permissions));
    }

    /** Returns the group of a file. */
    long group(String path) throws IOException {
        return Integer.toUnsignedLong((int) Files.getAttribute(path(path), "unix:gid", LinkOption.NOFOLLOW_LINKS));
    }

    /** Makes the file of a socket, with the mode 0660, in a directory with the mode 0755. */
    void socketFile(String path) throws IOException {
        String directory = path.substring(0, path.lastIndexOf('/'));
        directory(directory);
        chmod(directory, "rwxr-xr-x");
        try (ServerSocketChannel socket = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            socket.bind(UnixDomainSocketAddress.of(path(path)));
        }
        chmod(path, "rw-rw----");
    }

    /** Adds a listening socket to the table of this process's network namespace. */
    void listening(String name, long inode) throws IOException {
        sockets.append("0000000000000000: 00000002 00000000 00010000 0001 01 ")
                .append(inode)
                .append(' ')
                .append(name)
                .append('\n');
        file("/proc/self/net/unix", sockets.toString());
    }

    /** Adds a process of a user with one group. */
    void process(int pid, int uid, String... arguments) throws IOException {
        String directory = "/proc/" + pid;
        file(directory + "/cmdline", String.join("\0", arguments) + "\0");
        file(
                directory + "/status",
                "Name:\tx\nUid:\t%1$d\t%1$d\t%1$d\t%1$d\nGid:\t%1$d\t%1$d\t%1$d\t%1$d\nGroups:\t%1$d \n"
                        .formatted(uid));
        symbolicLink(directory + "/ns/net", "net:[1]");
    }

    /** Adds a daemon that has a socket open. */
    void daemon(int pid, int uid, long inode) throws IOException {
        process(pid, uid, "/usr/bin/java", "--module", "org.vhostuserrng.daemon/org.vhostuserrng.daemon.DaemonMain");
        symbolicLink("/proc/" + pid + "/fd/7", "socket:[" + inode + "]");
    }

    /** Sets the output of a program that succeeds. */
    void program(String stdout, String... command) {
        outputs.put(List.of(command), new Output(0, stdout, ""));
    }

    /** Sets the error of a program that fails. */
    void failingProgram(int status, String stderr, String... command) {
        outputs.put(List.of(command), new Output(status, "", stderr));
    }

    @Override
    public Optional<Output> run(String... command) {
        return Optional.ofNullable(outputs.get(List.of(command)));
    }

    HostProcesses processes() {
        return new HostProcesses(files());
    }

    ListeningSockets listening() {
        return new ListeningSockets(files(), processes().all());
    }

    /** Asserts the status of a result, and that its finding contains a text. */
    static void assertResult(CheckStatus status, String part, CheckResult result) {
        assertEquals(status, result.status(), result::toString);
        assertEquals(true, result.finding().contains(part), result::toString);
        assertEquals(status == CheckStatus.OK, result.remedy().isEmpty(), result::toString);
    }
}
