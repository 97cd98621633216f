package org.vhostuserrng.daemon;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vhostuserrng.backends.FairShare;
import org.vhostuserrng.backends.Quota;
import org.vhostuserrng.backends.Sources;
import org.vhostuserrng.device.RngDevice;
import org.vhostuserrng.device.Workspace;
import org.vhostuserrng.transport.server.VhostUserServer;

/** Devices, their source and the server that drives them, joined; serves on the calling thread. */
final class Daemon {
    private static final Logger LOG = LoggerFactory.getLogger(Daemon.class);

    private final Settings settings;

    Daemon(Settings settings) {
        this.settings = settings;
    }

    /** The name of the guest on a socket. */
    static String guest(Path socket) {
        Path name = socket.getFileName();
        return (name == null ? socket : name).toString();
    }

    /** The name of the guest on an inherited socket. */
    static String guest(int fd) {
        return "fd " + fd;
    }

    /** Serves a guest on each socket until told to end. */
    void serve(List<Path> sockets) throws IOException {
        try (VhostUserServer server = VhostUserServer.open(settings.policy())) {
            Sources sources = new Sources(settings.source(), server::sourceReady, System::nanoTime);
            FairShare fairShare = fairShare(server);
            Workspace workspace = new Workspace();
            for (Path socket : sockets) {
                server.listen(socket, device(guest(socket), sources, fairShare, workspace));
            }
            LOG.info(
                    "listening on {}{}, source {}",
                    sockets.getFirst(),
                    sockets.size() > 1 ? " … " + sockets.getLast().getFileName() : "",
                    settings.source());
            run(server, sources);
        }
    }

    /** Serves the front-end that listens on {@code socket}, whenever one does, until told to end. */
    void serveByConnecting(Path socket) throws IOException {
        try (VhostUserServer server = VhostUserServer.open(settings.policy())) {
            Sources sources = new Sources(settings.source(), server::sourceReady, System::nanoTime);
            server.connect(socket, device(guest(socket), sources, fairShare(server), new Workspace()));
            LOG.info("connecting to {}, source {}", socket, settings.source());
            run(server, sources);
        }
    }

    /** Serves on an inherited socket until told to end, or until its only front-end has disconnected. */
    void serveInherited(int fd) throws IOException {
        try (VhostUserServer server = VhostUserServer.open(settings.policy())) {
            Sources sources = new Sources(settings.source(), server::sourceReady, System::nanoTime);
            server.inherit(fd, device(guest(fd), sources, fairShare(server), new Workspace()));
            LOG.info("serving on fd {}, source {}", fd, settings.source());
            run(server, sources);
        }
    }

    private FairShare fairShare(VhostUserServer server) {
        return new FairShare(settings.limiter().total(), server::nextTurn);
    }

    private RngDevice device(String name, Sources sources, FairShare fairShare, Workspace workspace) {
        GuestTerms terms = settings.limiter().of(name);
        Quota quota = new Quota(terms.limits());
        return new RngDevice(name, settings.features(), sources, quota, fairShare.share(terms.claim()), workspace);
    }

    private static void run(VhostUserServer server, Sources sources) throws IOException {
        Termination.onSignal(server::stop);
        server.run();
        if (!sources.statistics().isEmpty()) {
            LOG.info("sources: {}", sources.statistics());
        }
        LOG.info("ending; the longest turn took {} µs", TimeUnit.NANOSECONDS.toMicros(server.longestTurn()));
    }
}
