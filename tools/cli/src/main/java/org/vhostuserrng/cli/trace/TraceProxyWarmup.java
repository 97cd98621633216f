package org.vhostuserrng.cli.trace;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.Writer;
import java.nio.file.Path;
import java.util.List;
import jnr.unixsocket.UnixSocketChannel;
import org.vhostuserrng.frontend.FdPassingSocket;
import org.vhostuserrng.frontend.FrontendEventFd;
import org.vhostuserrng.frontend.FrontendMessageType;
import org.vhostuserrng.frontend.FrontendPayloadEncoder;
import org.vhostuserrng.frontend.FrontendVhostUserConstants;
import picocli.CommandLine.Help.Ansi;

/**
 * Runs a dummy session without output, so that the JVM loads the classes before a VMM connects. Without it, each of the
 * first messages would take 50 ms longer.
 */
final class TraceProxyWarmup {
    private TraceProxyWarmup() {}

    static void run() throws IOException, InterruptedException {
        UnixSocketChannel[] front = UnixSocketChannel.pair();
        UnixSocketChannel[] back = UnixSocketChannel.pair();
        PrintWriter discarded = new PrintWriter(Writer.nullWriter());
        TraceRecordDispatcher log =
                new TraceRecordDispatcher(List.of(new TracePrinter(discarded, Ansi.OFF, true)), discarded);
        try (FdPassingSocket vmm = FdPassingSocket.wrap(front[0]);
                FdPassingSocket device = FdPassingSocket.wrap(back[0]);
                TraceProxySession session =
                        new TraceProxySession(FdPassingSocket.wrap(front[1]), FdPassingSocket.wrap(back[1]), log)) {
            log.opened(Path.of(""), Path.of(""));
            exchangeMessages(vmm, device);
            vmm.shutdown();
            session.run();
        }
    }

    private static void exchangeMessages(FdPassingSocket vmm, FdPassingSocket device) throws IOException {
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
}
