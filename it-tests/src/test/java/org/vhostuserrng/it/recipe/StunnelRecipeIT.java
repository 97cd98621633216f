package org.vhostuserrng.it.recipe;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.vhostuserrng.it.fixture.EventualAssertions.HANG_TIMEOUT;
import static org.vhostuserrng.it.fixture.EventualAssertions.QUIET_PERIOD;
import static org.vhostuserrng.it.fixture.EventualAssertions.assertEventually;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.vhostuserrng.frontend.EntropyDriver;
import org.vhostuserrng.frontend.EntropyDriver.Options;
import org.vhostuserrng.frontend.FrontendSocket;
import org.vhostuserrng.it.fixture.MarkdownSection;
import org.vhostuserrng.it.fixture.SystemdMachine;
import org.vhostuserrng.it.fixture.qemu.DebianRelease;
import org.vhostuserrng.it.fixture.qemu.InstalledMachineExtension;

/** Tests the recipe for EGD over a network, with stunnel on both sides. One machine is both hosts. */
@Tag("container")
class StunnelRecipeIT {
    @RegisterExtension
    static final InstalledMachineExtension TRIXIE = new InstalledMachineExtension(DebianRelease.TRIXIE);

    private static SystemdMachine machine() {
        return TRIXIE.machine();
    }

    private static MarkdownSection section(String heading) throws IOException {
        return MarkdownSection.of(MarkdownSection.PACKAGES, heading);
    }

    @BeforeEach
    void startTheHostOfTheGenerator() throws IOException, InterruptedException {
        machine().write(Map.of("/etc/hosts", "127.0.0.1 localhost generator.example\n"));
        List<String> commands = section("Certificates").blocks("sh");
        String install = "for host in generator.example vmhost.example; do " + commands.getLast() + "done";
        machine().succeedAll("mkdir -p /root/ca; cd /root/ca; " + commands.getFirst() + install);
        machine().write(section("The host of the generator").files());
        machine().succeedAll(section("The host of the generator").blocks("sh").getFirst());
    }

    @AfterEach
    void removeUnits() throws IOException, InterruptedException {
        machine()
                .succeedAll("systemctl disable --now vhost-user-rng-egd.service stunnel@egd-server.service"
                        + " stunnel@egd-client.service vhost-user-rng@web.socket;"
                        + " systemctl stop vhost-user-rng@web.service;"
                        + " rm -rf /etc/systemd/system/vhost-user-rng* /etc/vhost-user-rng/web.env /etc/stunnel/*.conf"
                        + " /root/ca; systemctl daemon-reload");
    }

    private static void startTheHostOfTheVms(Map<String, String> files) throws IOException, InterruptedException {
        machine().write(files);
        machine().succeedAll(section("The host of the VMs").blocks("sh").getFirst());
    }

    private static EntropyDriver connect() throws IOException {
        return EntropyDriver.start(
                FrontendSocket.connect(machine().path("/run/vhost-user-rng/web.sock")),
                Options.DEFAULT.withReplyTimeout(HANG_TIMEOUT));
    }

    @Test
    void frontEndIsServedThroughTls() throws IOException, InterruptedException {
        startTheHostOfTheVms(section("The host of the VMs").files());

        try (EntropyDriver guest = connect()) {
            assertEquals(64, guest.request(64, HANG_TIMEOUT).length);
        }
    }

    @Test
    void frontEndIsNotServedWithoutTheClientsCertificate() throws IOException, InterruptedException {
        Map<String, String> files = section("The host of the VMs").files().entrySet().stream()
                .collect(Collectors.toMap(
                        Map.Entry::getKey, file -> file.getValue().replaceAll("(?m)^(cert|key) = .*\n", "")));
        startTheHostOfTheVms(files);

        try (EntropyDriver guest = connect()) {
            guest.makeAvailableAndKick(guest.ring().addWritableBuffer(EntropyDriver.BUFFER_ADDRESS, 64));

            assertEventually(
                    "the server rejects the client",
                    () -> machine()
                            .succeed("journalctl", "--boot", "--unit=stunnel@egd-server.service")
                            .contains("peer did not return a certificate"));
            assertFalse(guest.awaitUsed(QUIET_PERIOD));
        }
    }
}
