package org.vhostuserrng.it.source;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.it.fixture.EventualAssertions.HANG_TIMEOUT;
import static org.vhostuserrng.it.fixture.EventualAssertions.assertEventually;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.vhostuserrng.frontend.EntropyDriver;
import org.vhostuserrng.it.fixture.PackagedProgram;
import org.vhostuserrng.it.fixture.PseudoTerminal;
import org.vhostuserrng.it.fixture.daemon.DaemonExtension;
import org.vhostuserrng.it.fixture.daemon.DaemonProcess;

/** Tests a source that is a terminal: control characters are data, and the device may be unplugged and plugged in. */
class TerminalSourceIT {
    private static final byte[] INTERRUPT_END_OF_FILE_STOP = {3, 4, 0x13, 0x1a, 0x1c};

    @RegisterExtension
    private final DaemonExtension daemons = new DaemonExtension();

    private final Random noise = new Random(1);

    private void send(PseudoTerminal terminal) {
        byte[] bytes = new byte[1024];
        noise.nextBytes(bytes);
        terminal.send(INTERRUPT_END_OF_FILE_STOP);
        terminal.send(bytes);
    }

    private void assertServed(EntropyDriver guest, PseudoTerminal terminal) throws IOException {
        guest.makeAvailableAndKick(guest.ring().addWritableBuffer(EntropyDriver.BUFFER_ADDRESS, 64));
        assertEventually("the request is served", () -> {
            send(terminal);
            return guest.ring().hasUsed();
        });
        assertTrue(guest.ring().popUsed());
    }

    @Test
    void unpluggedTerminalIsServedAgainWhenItReturns() throws Exception {
        Path name = daemons.directory().resolve("noise");
        PseudoTerminal first = new PseudoTerminal();
        Files.createSymbolicLink(name, first.path());
        DaemonProcess daemon = daemons.start("--source=file:" + name + ",baud=115200");
        try (EntropyDriver guest = EntropyDriver.start(daemon.socket())) {
            assertServed(guest, first);

            first.close();
            Files.delete(name);
            assertEventually("the log says that it is gone", () -> daemon.log().contains("the terminal has hung up"));
            try (PseudoTerminal second = new PseudoTerminal()) {
                Files.createSymbolicLink(name, second.path());

                assertEventually("the start-up tests have passed again", () -> {
                    send(second);
                    return daemon.log().contains("recovered and passed its start-up tests");
                });
                assertServed(guest, second);
            }
        }
    }

    /**
     * If a session leader without a controlling terminal opens a terminal without O_NOCTTY, it becomes the controlling
     * terminal, and byte 3 from the terminal causes SIGINT.
     */
    @Test
    void terminalDoesNotInterruptADaemonThatLeadsASession() throws Exception {
        try (PseudoTerminal terminal = new PseudoTerminal()) {
            ProcessBuilder leader = new ProcessBuilder(PackagedProgram.commandLine(
                    "--socket-path=" + daemons.socketPath(), "--source=file:" + terminal.path()));
            leader.command().addFirst("setsid");
            Process daemon = leader.redirectError(
                            daemons.directory().resolve("log").toFile())
                    .start();
            try {
                assertEventually("the daemon listens", () -> DaemonExtension.isListening(daemons.socketPath()));
                try (EntropyDriver guest = EntropyDriver.start(daemons.socketPath())) {
                    assertServed(guest, terminal);
                    assertEquals(64, guest.request(64, HANG_TIMEOUT).length);
                }

                assertTrue(daemon.isAlive());
            } finally {
                daemon.destroyForcibly().onExit().join();
            }
        }
    }
}
