package org.vhostuserrng.cli.doctor;

import static org.vhostuserrng.cli.doctor.CheckStatus.NOT_CHECKED;
import static org.vhostuserrng.cli.doctor.CheckStatus.OK;
import static org.vhostuserrng.cli.doctor.CheckStatus.PROBLEM;
import static org.vhostuserrng.cli.doctor.FakeHost.assertResult;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SocketCheckTest {
    private static final String PATH = "/run/x/web.sock";

    @TempDir
    private Path root;

    private FakeHost host;

    @BeforeEach
    void makeHost() throws IOException {
        host = new FakeHost(root);
    }

    private List<CheckResult> check() {
        return new SocketCheck(new DaemonSocket(PATH), host.files(), host.processes(), host.listening()).run();
    }

    private CheckResult file() {
        return check().getFirst();
    }

    private CheckResult listener() {
        return check().getLast();
    }

    @Test
    void missingFileIsAProblem() {
        assertResult(PROBLEM, "does not exist", file());
    }

    @Test
    void fileThatIsNoSocketIsAProblem() throws IOException {
        host.file(PATH, "text");

        assertResult(PROBLEM, "is not a socket", file());
    }

    @Test
    void modeAndOwnerOfASocketAreShown() throws IOException {
        host.socketFile(PATH);

        assertResult(OK, "mode 0660", file());
    }

    @Test
    void daemonThatListensIsNamedWithItsUser() throws IOException {
        host.listening(PATH, 4711);
        host.daemon(77, 991, 4711);

        assertResult(OK, "vhost-user-rng (pid 77), user 991", listener());
    }

    @Test
    void socketThatWasBoundUnderItsNewNameIsFound() throws IOException {
        host.listening(PATH + ".new", 4711);
        host.daemon(77, 991, 4711);

        assertResult(OK, "pid 77", listener());
    }

    @Test
    void socketThatWasBoundToARelativePathIsFound() throws IOException {
        host.listening("web.sock", 4711);
        host.daemon(77, 991, 4711);

        assertResult(OK, "pid 77", listener());
    }

    @Test
    void socketOfAnotherNetworkNamespaceIsFound() throws IOException {
        host.process(77, 991, "vhost-user-rng");
        host.symbolicLink("/proc/78/ns/net", "net:[2]");
        host.file("/proc/78/cmdline", "org.vhostuserrng.daemon/x\0");
        host.file("/proc/78/net/unix", "0: 00000002 00000000 00010000 0001 01 4711 " + PATH + "\n");
        host.symbolicLink("/proc/78/fd/7", "socket:[4711]");

        assertResult(OK, "pid 78", listener());
    }

    @Test
    void connectedSocketOfTheSameNameIsNoListener() throws IOException {
        host.file("/proc/self/net/unix", "0: 00000002 00000000 00000000 0001 03 4711 " + PATH + "\n");

        assertResult(PROBLEM, "Nobody listens", listener());
    }

    @Test
    void missingListenerIsUnknownWithoutRoot() throws IOException {
        host.file("/proc/self/status", "Uid:\t1000\t1000\t1000\t1000\n");

        assertResult(NOT_CHECKED, "network namespace", listener());
    }

    @Test
    void anotherProgramThatListensIsAProblem() throws IOException {
        host.listening(PATH, 4711);
        host.process(77, 991, "/usr/bin/socat");
        host.symbolicLink("/proc/77/fd/7", "socket:[4711]");

        assertResult(PROBLEM, "socat (pid 77)", listener());
    }

    @Test
    void socketOfAUnitIsServedByDemand() throws IOException {
        host.listening(PATH, 4711);
        host.process(1, 0, "/sbin/init");
        host.symbolicLink("/proc/1/fd/7", "socket:[4711]");

        assertResult(OK, "starts the daemon when a VM connects", listener());
    }

    @Test
    void replacedSocketIsSaid() throws IOException {
        host.listening(PATH, 4711);
        host.listening(PATH, 4712);
        host.daemon(77, 991, 4711);

        assertResult(OK, "2 sockets have been bound to this path", listener());
    }
}
