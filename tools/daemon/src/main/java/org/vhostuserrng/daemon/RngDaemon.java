package org.vhostuserrng.daemon;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vhostuserrng.backends.limiter.DeficitRoundRobin;
import org.vhostuserrng.backends.limiter.GuestRateLimiter;
import org.vhostuserrng.backends.source.EventLoopSources;
import org.vhostuserrng.device.rng.SharedRequestScratch;
import org.vhostuserrng.device.rng.VirtioRngDevice;
import org.vhostuserrng.transport.vhostuser.VhostUserServer;

/** Devices, their source and the server that drives them, joined; serves on the calling thread. */
final class RngDaemon {
    private static final Logger LOG = LoggerFactory.getLogger(RngDaemon.class);

    private final DaemonSettings settings;

    RngDaemon(DaemonSettings settings) {
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
            EventLoopSources sources = new EventLoopSources(settings.source(), server::sourceReady, System::nanoTime);
            DeficitRoundRobin fairShare = fairShare(server);
            SharedRequestScratch workspace = new SharedRequestScratch();
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
            EventLoopSources sources = new EventLoopSources(settings.source(), server::sourceReady, System::nanoTime);
            server.connect(socket, device(guest(socket), sources, fairShare(server), new SharedRequestScratch()));
            LOG.info("connecting to {}, source {}", socket, settings.source());
            run(server, sources);
        }
    }

    /** Serves on an inherited socket until told to end, or until its only front-end has disconnected. */
    void serveInherited(int fd) throws IOException {
        try (VhostUserServer server = VhostUserServer.open(settings.policy())) {
            EventLoopSources sources = new EventLoopSources(settings.source(), server::sourceReady, System::nanoTime);
            server.inherit(fd, device(guest(fd), sources, fairShare(server), new SharedRequestScratch()));
            LOG.info("serving on fd {}, source {}", fd, settings.source());
            run(server, sources);
        }
    }

    private DeficitRoundRobin fairShare(VhostUserServer server) {
        return new DeficitRoundRobin(settings.limiter().total(), server::nextTurn);
    }

    private VirtioRngDevice device(
            String name, EventLoopSources sources, DeficitRoundRobin fairShare, SharedRequestScratch workspace) {
        GuestRateLimiterSettings terms = settings.limiter().of(name);
        GuestRateLimiter quota = new GuestRateLimiter(terms.limits());
        return new VirtioRngDevice(
                name, settings.features(), sources, quota, fairShare.addFlow(terms.claim()), workspace);
    }

    private static void run(VhostUserServer server, EventLoopSources sources) throws IOException {
        DaemonShutdownHook.onSignal(server::stop);
        server.run();
        if (!sources.statistics().isEmpty()) {
            LOG.info("sources: {}", sources.statistics());
        }
        LOG.info("ending; the longest turn took {} µs", TimeUnit.NANOSECONDS.toMicros(server.longestTurn()));
    }
}
