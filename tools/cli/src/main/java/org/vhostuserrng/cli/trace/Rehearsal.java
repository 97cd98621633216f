package org.vhostuserrng.cli.trace;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.Writer;
import java.nio.file.Path;
import java.util.List;
import jnr.unixsocket.UnixSocketChannel;
import org.vhostuserrng.frontend.DescriptorSocket;
import org.vhostuserrng.frontend.EventFd;
import org.vhostuserrng.frontend.Payload;
import org.vhostuserrng.frontend.VhostUser;
import picocli.CommandLine.Help.Ansi;

/**
 * A session with nobody, shown to nobody: without it the first messages of a VMM would take 50 ms longer each, the time
 * in which the JVM loads the classes that they need.
 */
final class Rehearsal {
    private Rehearsal() {}

    static void run() throws IOException, InterruptedException {
        UnixSocketChannel[] front = UnixSocketChannel.pair();
        UnixSocketChannel[] back = UnixSocketChannel.pair();
        PrintWriter nobody = new PrintWriter(Writer.nullWriter());
        TraceLog log = new TraceLog(List.of(new Transcript(nobody, Ansi.OFF, true)), nobody);
        try (DescriptorSocket vmm = DescriptorSocket.over(front[0]);
                DescriptorSocket device = DescriptorSocket.over(back[0]);
                ProxySession session =
                        new ProxySession(DescriptorSocket.over(front[1]), DescriptorSocket.over(back[1]), log)) {
            log.opened(Path.of(""), Path.of(""));
            talk(vmm, device);
            vmm.shutdown();
            session.run();
        }
    }

    private static void talk(DescriptorSocket vmm, DescriptorSocket device) throws IOException {
        int reply = VhostUser.FLAG_VERSION | VhostUser.FLAG_REPLY;
        vmm.send(Payload.message(VhostUser.GET_FEATURES, VhostUser.FLAG_VERSION, Payload.none()));
        device.send(Payload.message(VhostUser.GET_FEATURES, reply, Payload.u64(-1)));
        try (EventFd call = new EventFd()) {
            vmm.send(Payload.message(VhostUser.SET_VRING_CALL, VhostUser.FLAG_VERSION, Payload.u64(0)), call.fd());
        }
    }
}
