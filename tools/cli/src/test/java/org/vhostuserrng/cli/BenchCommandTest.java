package org.vhostuserrng.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vhostuserrng.frontend.FrontendMessageType;
import org.vhostuserrng.frontend.FrontendPayloadEncoder;
import org.vhostuserrng.frontend.FrontendVhostUserConstants;
import org.vhostuserrng.frontend.VirtioFeatureBit;
import picocli.CommandLine;

class BenchCommandTest {
    private final StringWriter err = new StringWriter();

    @TempDir
    private Path directory;

    private int run(String... arguments) {
        CommandLine commandLine = CliMain.commandLine();
        commandLine.setErr(new PrintWriter(err, true));
        return commandLine.execute(arguments);
    }

    private ServerSocketChannel listener() throws IOException {
        ServerSocketChannel listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        listener.bind(UnixDomainSocketAddress.of(directory.resolve("socket")));
        return listener;
    }

    private void assertOneLineWith(String... parts) {
        assertEquals(1, err.toString().lines().count(), err::toString);
        for (String part : parts) {
            assertTrue(err.toString().contains(part), err::toString);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "--buffer, 0, 1..1048576",
        "--buffer, 1048577, 1..1048576",
        "--buffer, many, 1..1048576",
        "--depth, 0, 1..256",
        "--depth, 257, 1..256",
        "--seconds, 0, 1..3600",
        "--warmup, -1, 0..60",
        "--timeout, 0, 1..3600"
    })
    void valueOutOfRangeIsReportedInOneLineWithOptionValueAndRange(String option, String value, String range) {
        int status = run("bench", "--socket-path=socket", option + "=" + value);

        assertEquals(2, status);
        assertOneLineWith(option, "'" + value + "'", range);
    }

    @Test
    void missingSocketPathIsReportedInOneLine() {
        assertEquals(2, run("bench"));
        assertOneLineWith("--socket-path");
    }

    @Test
    void missingSubcommandIsReportedInOneLine() {
        assertEquals(2, run());
        assertOneLineWith("subcommand");
    }

    @Test
    void missingDaemonIsReportedInOneLine() {
        String path = directory.resolve("nobody").toString();

        assertEquals(1, run("bench", "--socket-path=" + path));
        assertOneLineWith(path);
    }

    @Test
    void disconnectIsReportedInOneLine() throws Exception {
        try (ServerSocketChannel listener = listener()) {
            Thread closing = Thread.ofPlatform().start(() -> acceptAndClose(listener));

            assertEquals(1, run("bench", "--socket-path=" + directory.resolve("socket")));
            closing.join();
        }
        assertEquals(1, err.toString().lines().count(), err::toString);
    }

    private static void acceptAndClose(ServerSocketChannel listener) {
        try (SocketChannel accepted = listener.accept()) {
            accepted.shutdownOutput();
        } catch (IOException closed) {
            throw new AssertionError(closed);
        }
    }

    @Test
    void missingReplyIsReportedInOneLine() throws Exception {
        try (ServerSocketChannel silent = listener()) {
            assertTrue(silent.isOpen());

            assertEquals(1, run("bench", "--timeout=1", "--socket-path=" + directory.resolve("socket")));
        }
        assertOneLineWith("no reply");
    }

    /**
     * Accepts a front-end and offers no protocol features: then GET_FEATURES, which is sent twice, is the only message
     * with a reply.
     */
    private static void offerNothingButVersion1(ServerSocketChannel listener) {
        byte[] features = FrontendPayloadEncoder.message(
                FrontendMessageType.GET_FEATURES.id(),
                FrontendVhostUserConstants.FLAG_VERSION | FrontendVhostUserConstants.FLAG_REPLY,
                FrontendPayloadEncoder.u64(VirtioFeatureBit.VERSION_1.mask()));
        try (SocketChannel accepted = listener.accept()) {
            accepted.write(ByteBuffer.wrap(features));
            accepted.write(ByteBuffer.wrap(features));
            while (accepted.read(ByteBuffer.allocate(4096)) >= 0) {
                Thread.onSpinWait();
            }
        } catch (IOException closed) {
            throw new AssertionError(closed);
        }
    }

    @Test
    void missingPackedRingFeatureIsReportedInOneLine() throws Exception {
        try (ServerSocketChannel listener = listener()) {
            Thread backend = Thread.ofPlatform().start(() -> offerNothingButVersion1(listener));

            assertEquals(1, run("bench", "--packed", "--socket-path=" + directory.resolve("socket")));
            backend.join();
        }
        assertOneLineWith("VIRTIO_F_RING_PACKED");
    }
}
