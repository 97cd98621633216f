package org.vhostuserrng.cli.trace;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.Writer;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import jnr.unixsocket.UnixSocketChannel;
import org.vhostuserrng.frontend.FdPassingSocket;
import org.vhostuserrng.frontend.FrontendEventFd;
import org.vhostuserrng.frontend.FrontendMessageType;
import org.vhostuserrng.frontend.FrontendPayloadEncoder;
import org.vhostuserrng.frontend.FrontendVhostUserConstants;
import org.vhostuserrng.frontend.VfioUserClient;
import picocli.CommandLine.Help.Ansi;

/**
 * Runs a dummy session of each protocol without output, so that the JVM loads the classes before a VMM connects.
 * Without it, each of the first messages would take 50 ms longer.
 */
final class TraceProxyWarmup {
    private TraceProxyWarmup() {}

    /** A dummy session, up to its last message. */
    @FunctionalInterface
    private interface Session {
        void exchangeMessages(FdPassingSocket vmm, FdPassingSocket device) throws IOException;
    }

    static void run() throws IOException, InterruptedException {
        run(TraceProxyWarmup::exchangeVhostUserMessages);
        run(TraceProxyWarmup::exchangeVfioUserMessages);
    }

    private static void run(Session dummy) throws IOException, InterruptedException {
        UnixSocketChannel[] front = UnixSocketChannel.pair();
        UnixSocketChannel[] back = UnixSocketChannel.pair();
        PrintWriter discarded = new PrintWriter(Writer.nullWriter());
        TraceRecordDispatcher log = new TraceRecordDispatcher(
                List.of(new TracePrinter(discarded, Ansi.OFF, true, Optional.empty())), discarded);
        try (FdPassingSocket vmm = FdPassingSocket.wrap(front[0]);
                FdPassingSocket device = FdPassingSocket.wrap(back[0]);
                TraceProxySession session = new TraceProxySession(
                        FdPassingSocket.wrap(front[1]), FdPassingSocket.wrap(back[1]), Optional.empty(), log)) {
            log.opened(Path.of(""), Path.of(""));
            dummy.exchangeMessages(vmm, device);
            vmm.shutdown();
            session.run();
        }
    }

    private static void exchangeVhostUserMessages(FdPassingSocket vmm, FdPassingSocket device) throws IOException {
        int reply = FrontendVhostUserConstants.FLAG_VERSION | FrontendVhostUserConstants.FLAG_REPLY;
        vmm.send(FrontendPayloadEncoder.message(
                FrontendMessageType.GET_FEATURES.id(),
                FrontendVhostUserConstants.FLAG_VERSION,
                FrontendPayloadEncoder.none()));
        device.send(FrontendPayloadEncoder.message(
                FrontendMessageType.GET_FEATURES.id(), reply, FrontendPayloadEncoder.u64(-1)));
        try (FrontendEventFd call = new FrontendEventFd()) {
            vmm.send(
                    FrontendPayloadEncoder.message(
                            FrontendMessageType.SET_VRING_CALL.id(),
                            FrontendVhostUserConstants.FLAG_VERSION,
                            FrontendPayloadEncoder.u64(0)),
                    call.fd());
        }
    }

    private static void exchangeVfioUserMessages(FdPassingSocket vmm, FdPassingSocket device) throws IOException {
        vmm.send(VfioUserClient.message(
                0, VfioUserClient.VERSION, VfioUserClient.COMMAND, VfioUserClient.version(0, 0, "{}\0")));
        device.send(VfioUserClient.message(0, VfioUserClient.VERSION, 1, VfioUserClient.version(0, 0, "{}\0")));
        vmm.send(VfioUserClient.message(
                1,
                VfioUserClient.REGION_WRITE,
                VfioUserClient.NO_REPLY,
                VfioUserClient.regionWrite(VfioUserClient.CONFIG_REGION, 0, new byte[1])));
    }
}
