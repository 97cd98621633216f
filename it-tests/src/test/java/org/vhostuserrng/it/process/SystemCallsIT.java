package org.vhostuserrng.it.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.vhostuserrng.it.fixture.EventualAssertions.HANG_TIMEOUT;
import static org.vhostuserrng.it.fixture.EventualAssertions.assertEventually;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.vhostuserrng.frontend.BackendRequestReceiver;
import org.vhostuserrng.frontend.EntropyDriver;
import org.vhostuserrng.frontend.EntropyDriver.Options;
import org.vhostuserrng.frontend.FrontendDeviceStatePipe;
import org.vhostuserrng.frontend.FrontendInflightBuffer;
import org.vhostuserrng.frontend.FrontendVhostUserConstants;
import org.vhostuserrng.frontend.ProtocolFeatureBit;
import org.vhostuserrng.frontend.VirtioFeatureBit;
import org.vhostuserrng.it.fixture.HostCommand;
import org.vhostuserrng.it.fixture.daemon.DaemonExtension;
import org.vhostuserrng.it.fixture.daemon.DaemonProcess;

/** Tests that sessions cause only the system calls in transport/SYSTEM-CALLS.md, which tells what each can wait for. */
class SystemCallsIT {
    /** Matches a line of strace: thread, system call, and arguments or "resumed". */
    private static final Pattern TRACED = Pattern.compile("^\\d+ +(?:<\\.\\.\\. )?([a-z]\\w*)(?:\\(| resumed)");

    private static final Pattern DOCUMENTED = Pattern.compile("`([a-z]\\w*)`");
    private static final long PROTOCOL_FEATURES = ProtocolFeatureBit.REPLY_ACK.mask()
            | ProtocolFeatureBit.BACKEND_REQ.mask()
            | ProtocolFeatureBit.INFLIGHT_SHMFD.mask()
            | ProtocolFeatureBit.DEVICE_STATE.mask();

    @RegisterExtension
    private final DaemonExtension daemons = new DaemonExtension();

    private static Set<String> documentedCalls() throws IOException {
        return Files.readAllLines(HostCommand.repository().resolve("transport/SYSTEM-CALLS.md")).stream()
                .filter(line -> line.startsWith("| `"))
                .map(line -> line.substring(0, line.indexOf('|', 1)))
                .flatMap(cell -> DOCUMENTED.matcher(cell).results())
                .map(call -> call.group(1))
                .collect(Collectors.toSet());
    }

    private static Set<String> tracedCalls(Path trace) throws IOException {
        return Files.readAllLines(trace).stream()
                .flatMap(line -> TRACED.matcher(line).results())
                .map((MatchResult call) -> call.group(1))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private static List<String> tracedLines(Path trace, Set<String> calls) {
        try {
            return Files.readAllLines(trace).stream()
                    .filter(line -> TRACED.matcher(line).results().anyMatch(call -> calls.contains(call.group(1))))
                    .toList();
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }

    /** Attaches strace(1) to the daemon. Skips the test if that is impossible. */
    private static Process trace(DaemonProcess daemon, Path trace) throws IOException, InterruptedException {
        Path error = trace.resolveSibling("strace.err");
        Process strace;
        try {
            strace = new ProcessBuilder(
                            "strace", "-f", "-qq", "-e", "signal=none", "-o", trace.toString(), "-p", "" + daemon.pid())
                    .redirectError(error.toFile())
                    .start();
        } catch (IOException missing) {
            assumeTrue(false, "strace is not installed: " + missing.getMessage());
            throw missing;
        }
        assertEventually("strace is attached, or not permitted", () -> !strace.isAlive() || daemon.isTraced());
        assumeTrue(strace.isAlive(), () -> "strace cannot attach, see " + error);
        return strace;
    }

    private static void runSession(Path socket, boolean packed) throws IOException {
        long format = packed ? VirtioFeatureBit.RING_PACKED.mask() : 0;
        Options options = Options.DEFAULT
                .withFeatures(Options.DEFAULT.features() | format)
                .withProtocolFeatures(PROTOCOL_FEATURES);
        try (EntropyDriver guest = EntropyDriver.initialise(socket, options);
                BackendRequestReceiver requests = new BackendRequestReceiver();
                FrontendDeviceStatePipe state = new FrontendDeviceStatePipe()) {
            guest.session().setFeatures(guest.features() | VirtioFeatureBit.PROTOCOL_FEATURES.mask());
            guest.session().setBackendReqFd(requests);
            try (FrontendInflightBuffer buffer = guest.session().getInflightFd(1, 64)) {
                guest.session().setInflightFd(buffer);
            }
            guest.session()
                    .start(
                            guest.requestq(),
                            guest.memory(),
                            guest.features(),
                            guest.driverRing().vringBase());
            for (int length : new int[] {1, 64, 4096, 65536}) {
                assertEquals(length, guest.request(length, HANG_TIMEOUT).length);
            }
            guest.session().stop();
            guest.session()
                    .setDeviceStateFd(
                            FrontendVhostUserConstants.DEVICE_STATE_SAVE,
                            FrontendVhostUserConstants.DEVICE_STATE_STOPPED,
                            state.writeEnd());
            assertEquals(0, guest.session().checkDeviceState());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"getrandom", "drbg", "file:/dev/urandom"})
    void sessionsCauseOnlyTheDocumentedSystemCalls(String source) throws Exception {
        DaemonProcess daemon = daemons.start("--source=" + source, "--packed");
        Path trace = daemons.directory().resolve("trace");
        Process strace = trace(daemon, trace);

        for (boolean packed : List.of(false, true)) {
            runSession(daemon.socket(), packed);
        }
        daemon.terminate();
        daemon.awaitExit();
        assertTrue(strace.waitFor(HANG_TIMEOUT.toSeconds(), TimeUnit.SECONDS));

        Set<String> calls = tracedCalls(trace);
        assertTrue(calls.contains("accept4"), () -> "traced only " + calls);
        calls.removeAll(documentedCalls());
        assertEquals(Set.of(), calls, () -> "not in transport/SYSTEM-CALLS.md: " + tracedLines(trace, calls));
    }
}
