package org.vhostuserrng.cli.doctor;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.cli.doctor.CheckStatus.NOT_CHECKED;
import static org.vhostuserrng.cli.doctor.CheckStatus.OK;
import static org.vhostuserrng.cli.doctor.CheckStatus.PROBLEM;
import static org.vhostuserrng.cli.doctor.FakeHost.assertResult;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GuestMemoryCheckTest {
    private static final DaemonSocket SOCKET = new DaemonSocket("/run/web.sock");

    @TempDir
    private Path root;

    private FakeHost host;

    @BeforeEach
    void makeHost() throws IOException {
        host = new FakeHost(root);
    }

    private void qemu(int pid, String socket, String... memory) throws IOException {
        List<String> words = new ArrayList<>(List.of("/usr/bin/qemu-system-x86_64"));
        words.addAll(List.of(memory));
        words.addAll(List.of("-chardev", "socket,id=c,path=" + socket, "-device", "vhost-user-rng-pci,chardev=c"));
        host.process(pid, 64055, words.toArray(String[]::new));
    }

    private CheckResult check() {
        List<HostProcess> vmms = GuestMemoryCheck.vmms(SOCKET, host.files(), host.processes());
        return new GuestMemoryCheck(SOCKET, vmms).run().getFirst();
    }

    @Test
    void sharedMemoryIsOk() throws IOException {
        qemu(9, SOCKET.path(), "-machine", "q35,memory-backend=m", "-object", "memory-backend-memfd,id=m,share=on");

        assertResult(OK, "qemu-system-x86_64 (pid 9)", check());
    }

    @Test
    void missingBackendIsAProblemWithItsCure() throws IOException {
        qemu(9, SOCKET.path(), "-m", "256");

        assertResult(PROBLEM, "no memory backend", check());
        assertTrue(check().remedy().contains("share=on"), check().remedy());
        assertTrue(check().remedy().contains("<access mode='shared'/>"), check().remedy());
    }

    @Test
    void privateBackendIsAProblem() throws IOException {
        qemu(9, SOCKET.path(), "-machine", "q35,memory-backend=m", "-object", "memory-backend-ram,id=m");

        assertResult(PROBLEM, "no share=on", check());
    }

    @Test
    void vmOnAnotherSocketIsNotJudged() throws IOException {
        qemu(9, "/run/db.sock", "-m", "256");

        assertResult(NOT_CHECKED, "No running QEMU", check());
    }
}
