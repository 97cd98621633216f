package org.vhostuserrng.cli.doctor;

import static org.vhostuserrng.cli.doctor.CheckStatus.NOT_CHECKED;
import static org.vhostuserrng.cli.doctor.CheckStatus.OK;
import static org.vhostuserrng.cli.doctor.CheckStatus.PROBLEM;
import static org.vhostuserrng.cli.doctor.FakeHost.OTHER_USER;
import static org.vhostuserrng.cli.doctor.FakeHost.assertResult;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SocketAccessCheckTest {
    private static final String PATH = "/run/x/web.sock";

    @TempDir
    private Path root;

    private FakeHost host;

    @BeforeEach
    void makeSocket() throws IOException {
        host = new FakeHost(root);
        host.socketFile(PATH);
        host.chmod("/run", "rwxr-xr-x");
    }

    private CheckResult check(UserIds... users) {
        return new SocketAccessCheck(new DaemonSocket(PATH), List.of(users), host.files())
                .run()
                .getFirst();
    }

    @Test
    void userWithoutWritePermissionIsAProblem() {
        assertResult(PROBLEM, "libvirt-qemu may not write to " + PATH, check(OTHER_USER));
    }

    @Test
    void memberOfTheGroupMayConnect() throws IOException {
        UserIds member = new UserIds("member", 64055, Set.of(64055L, host.group(PATH)));

        assertResult(OK, "member may write", check(member));
    }

    @Test
    void memberOfTheGroupMayNotConnectIfOnlyOthersMayWrite() throws IOException {
        host.chmod(PATH, "rw-----w-");
        UserIds member = new UserIds("member", 64055, Set.of(host.group(PATH)));

        assertResult(PROBLEM, "mode 0602", check(member));
    }

    @Test
    void directoryThatCannotBeSearchedIsAProblem() throws IOException {
        host.chmod(PATH, "rw-rw-rw-");
        host.chmod("/run", "rwxr-x---");

        assertResult(PROBLEM, "may not search the directory /run (mode 0750", check(OTHER_USER));
    }

    @Test
    void rootMayConnectWhateverTheMode() throws IOException {
        host.chmod(PATH, "---------");

        assertResult(OK, "root may write", check(new UserIds("root", 0, Set.of(0L))));
    }

    @Test
    void targetOfASymbolicLinkIsChecked() throws IOException {
        host.symbolicLink("/var/link", root + "/run/x");
        CheckResult result = new SocketAccessCheck(
                        new DaemonSocket("/var/link/web.sock"), List.of(OTHER_USER), host.files())
                .run()
                .getFirst();

        assertResult(PROBLEM, "may not write to " + PATH, result);
    }

    @Test
    void unknownUserIsNotChecked() {
        assertResult(NOT_CHECKED, "No user of a VMM", check());
    }
}
