package org.vhostuserrng.it.session;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.it.fixture.EventualAssertions.HANG_TIMEOUT;
import static org.vhostuserrng.it.fixture.EventualAssertions.assertEventually;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vhostuserrng.frontend.EntropyDriver;
import org.vhostuserrng.frontend.FrontendSession;
import org.vhostuserrng.frontend.VirtioFeatureBit;
import org.vhostuserrng.it.fixture.PackagedProgram;
import org.vhostuserrng.it.fixture.daemon.DaemonExtension;
import org.vhostuserrng.it.fixture.hold.HeldService;

/** Tests sessions that survive the end of the daemon under {@code hold}. */
class SessionSurvivalIT {
    private static final int KILLS = 8;
    private static final String CONTINUED = "session continued";

    @TempDir
    private Path directory;

    private HeldService service;
    /** Number of daemon starts that continued a session. */
    private int continued;

    @AfterEach
    void stop() throws IOException {
        service.close();
    }

    private Path socket() {
        return directory.resolve("socket");
    }

    private void start(String... options) throws IOException {
        List<String> words = new ArrayList<>(List.of("--socket-path=" + socket()));
        words.addAll(List.of(options));
        service = HeldService.run(directory, daemon(words.toArray(String[]::new)));
        assertEventually(
                "the daemon listens and has logged it",
                () -> DaemonExtension.isListening(socket()) && service.log().contains("listening on"));
    }

    /** Returns arguments of hold that make it run the daemon with options. */
    private static String[] daemon(String... options) {
        List<String> words = new ArrayList<>(List.of("--"));
        words.addAll(PackagedProgram.commandLine(options));
        return words.toArray(String[]::new);
    }

    private void kill() {
        service.mainProcess().destroyForcibly();
    }

    private void killAndAwaitSuccessor() {
        kill();
        continued++;
        assertEventually("the session is continued", () -> service.log().split(CONTINUED, -1).length > continued);
    }

    private static EntropyDriver.Options packed() {
        return EntropyDriver.Options.DEFAULT.withFeatures(
                EntropyDriver.Options.DEFAULT.features() | VirtioFeatureBit.RING_PACKED.mask());
    }

    /** Requests bytes while the daemon is killed again and again. Asserts that no bytes are served twice. */
    private void assertServedWhileTheDaemonIsKilled(EntropyDriver guest) throws IOException {
        Set<ByteBuffer> served = new HashSet<>();
        int requests = 0;
        for (int kills = 0; kills < KILLS; kills++) {
            for (int i = 0; i < 50; i++) {
                if (i == 25) {
                    kill();
                }
                byte[] bytes = guest.request(64, HANG_TIMEOUT);
                assertEquals(64, bytes.length);
                served.add(ByteBuffer.wrap(bytes));
                requests++;
            }
        }
        assertEquals(requests, served.size(), "some bytes were served twice");
    }

    @Test
    void guestOfAKilledDaemonIsServedOn() throws Exception {
        start();
        try (EntropyDriver guest = EntropyDriver.start(socket())) {
            assertServedWhileTheDaemonIsKilled(guest);
        }
    }

    @Test
    void guestWithAPackedRingIsServedOn() throws Exception {
        start("--packed");
        try (EntropyDriver guest = EntropyDriver.start(socket(), packed())) {
            assertServedWhileTheDaemonIsKilled(guest);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void requestsInFlightAreCompletedOnce(boolean packed) throws Exception {
        start("--packed");
        int requests = 32;
        try (EntropyDriver guest = EntropyDriver.start(socket(), packed ? packed() : EntropyDriver.Options.DEFAULT)) {
            for (int kills = 0; kills < KILLS; kills++) {
                for (int i = 0; i < requests; i++) {
                    guest.driverRing()
                            .makeAvailable(
                                    guest.driverRing().addWritableBuffer(EntropyDriver.BUFFER_ADDRESS + i * 64L, 64));
                }
                guest.kickIfNeeded();
                kill();
                int used = 0;
                while (used < requests) {
                    assertTrue(guest.awaitUsed(HANG_TIMEOUT), "the device used " + used + " buffers");
                    while (guest.driverRing().popUsed()) {
                        used++;
                    }
                }
                assertEquals(requests, used);
                assertEquals(64, guest.request(64, HANG_TIMEOUT).length);
            }
        }
    }

    @Test
    void everyMessageIsAnsweredOnceAlthoughTheDaemonIsKilled() throws Exception {
        start();
        try (FrontendSession session = FrontendSession.connect(socket(), HANG_TIMEOUT)) {
            long features = session.getFeatures();
            for (int kills = 0; kills < KILLS; kills++) {
                kill();
                for (int i = 0; i < 20; i++) {
                    assertEquals(features, session.getFeatures());
                }
            }
        }
    }

    @Test
    void nextDaemonAcceptsFrontEnds() throws Exception {
        start();
        for (int kills = 0; kills < KILLS; kills++) {
            killAndAwait("listening on");
            assertEventually("the daemon listens", () -> DaemonExtension.isListening(socket()));
            try (EntropyDriver guest = EntropyDriver.start(socket())) {
                assertEquals(64, guest.request(64, HANG_TIMEOUT).length);
            }
        }
    }

    @Test
    void terminatedDaemonKeepsItsSessions() throws Exception {
        start();
        try (EntropyDriver guest = EntropyDriver.start(socket())) {
            guest.request(64, HANG_TIMEOUT);

            service.mainProcess().destroy();

            assertEquals(64, guest.request(64, HANG_TIMEOUT).length);
            assertEquals(64, guest.request(64, HANG_TIMEOUT).length);
        }
    }

    /** Uses up a limit of 1024 bytes per minute. */
    private static void useUpLimit(EntropyDriver guest) throws IOException {
        for (int served = 0; served < 1024; served += 64) {
            assertEquals(64, guest.request(64, HANG_TIMEOUT).length);
        }
    }

    private static void assertThrottled(EntropyDriver guest) throws IOException {
        guest.makeAvailableAndKick(guest.driverRing().addWritableBuffer(EntropyDriver.BUFFER_ADDRESS, 64));
        assertNotEquals(0, guest.session().getFeatures());
        assertFalse(guest.awaitUsed(Duration.ofMillis(100)), "more than 1024 bytes in a minute");
    }

    @ParameterizedTest
    @CsvSource({"--max-bytes=1024, --period=60000", "--total-max-bytes=1024, --total-period=60000"})
    void limitIsNotRefilled(String limit, String period) throws Exception {
        start(limit, period, "--limit-mode=window");
        try (EntropyDriver guest = EntropyDriver.start(socket())) {
            useUpLimit(guest);

            killAndAwaitSuccessor();

            assertThrottled(guest);
        }
    }

    @Test
    void totalLimitIsNotRefilledForTheGuestsOfTheNextDaemon() throws Exception {
        start("--total-max-bytes=1024", "--total-period=60000", "--limit-mode=window");
        try (EntropyDriver guest = EntropyDriver.start(socket())) {
            useUpLimit(guest);
        }
        killAndAwait("listening on");
        assertEventually("the daemon listens", () -> DaemonExtension.isListening(socket()));

        try (EntropyDriver guest = EntropyDriver.start(socket())) {
            assertThrottled(guest);
        }
    }

    @Test
    void noByteOfAFileIsServedTwice() throws Exception {
        // Each kill loses the bytes that the daemon has read ahead, at most 64 KiB.
        byte[] content = new byte[4 << 20];
        new Random(1).nextBytes(content);
        Path file = Files.write(directory.resolve("random"), content);
        start("--source=file:" + file + ",health=off");
        int end = 0;
        try (EntropyDriver guest = EntropyDriver.start(socket())) {
            for (int i = 0; i < 50 * KILLS; i++) {
                if (i % 50 == 25) {
                    kill();
                }
                byte[] bytes = guest.request(64, HANG_TIMEOUT);
                int position = positionIn(content, bytes);
                assertTrue(position >= end, "position " + position + " after " + end);
                end = position + bytes.length;
            }
        }
    }

    private static int positionIn(byte[] content, byte[] part) {
        return new String(content, StandardCharsets.ISO_8859_1).indexOf(new String(part, StandardCharsets.ISO_8859_1));
    }

    @Test
    void hundredsOfGuestsAreServedOn() throws Exception {
        int guests = 300;
        service =
                HeldService.run(directory, daemon("--socket-path=" + socket(), "--socket-count=" + guests, "--packed"));
        assertEventually("all sockets listen", () -> service.log().contains("listening on"));
        List<EntropyDriver> drivers = new ArrayList<>();
        try {
            for (int i = 0; i < guests; i++) {
                drivers.add(EntropyDriver.start(
                        Path.of(socket().toString() + i), i % 2 == 0 ? packed() : EntropyDriver.Options.DEFAULT));
            }
            Set<ByteBuffer> served = new HashSet<>();
            for (int kills = 0; kills < 3; kills++) {
                kill();
                for (EntropyDriver guest : drivers) {
                    served.add(ByteBuffer.wrap(guest.request(64, HANG_TIMEOUT)));
                }
            }
            assertEquals(3 * guests, served.size(), "some bytes were served twice");
        } finally {
            for (EntropyDriver guest : drivers) {
                guest.close();
            }
        }
    }

    @Test
    void countersGoOn() throws Exception {
        start();
        try (EntropyDriver guest = EntropyDriver.start(socket())) {
            guest.request(64, HANG_TIMEOUT);
            killAndAwaitSuccessor();
            guest.request(64, HANG_TIMEOUT);
        }

        assertEventually(
                "the log tells all bytes", () -> service.log().contains("served so far: 2 requests, 128 bytes"));
    }

    @Test
    void sessionOfAFrontEndThatHasGoneMeanwhileIsGivenBack() throws Exception {
        start();
        try (EntropyDriver guest = EntropyDriver.start(socket())) {
            guest.request(64, HANG_TIMEOUT);
            service.mainProcess().destroyForcibly();
        }

        assertEventually("the session has ended", () -> service.log().contains("front-end disconnected"));
        killAndAwait("listening on");
        assertFalse(service.log()
                .substring(service.log().lastIndexOf("listening on"))
                .contains(CONTINUED));
    }

    /** Returns the log, divided where hold reports the end of a process. */
    private String[] logOfEachProcess() {
        return service.log().split("was killed by signal", -1);
    }

    private void killAndAwait(String line) {
        int before = logOfEachProcess().length;
        kill();
        assertEventually(line, () -> {
            String[] logs = logOfEachProcess();
            return logs.length > before && logs[logs.length - 1].contains(line);
        });
    }

    @Test
    void daemonSaysWhetherSessionsSurvive() throws Exception {
        start();

        assertEventually("the log says so", () -> service.log().contains("sessions survive a restart"));
    }
}
