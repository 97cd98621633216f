package org.vhostuserrng.cli.trace;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import org.vhostuserrng.frontend.DescriptorListener;
import org.vhostuserrng.frontend.DescriptorSocket;

/** Listens where a VMM connects, and connects it to its back-end: one session after the other, until it is stopped. */
final class Proxy implements AutoCloseable {
    private final Path listen;
    private final Path connect;
    private final TraceLog log;
    private final DescriptorListener listener;
    private ProxySession session;
    private boolean stopped;

    /**
     * A proxy that listens already.
     *
     * @throws IOException when nobody can listen there
     */
    Proxy(Path listen, Path connect, TraceLog log) throws IOException {
        this.listen = listen;
        this.connect = connect;
        this.log = log;
        this.listener = new DescriptorListener(listen);
    }

    /** Returns after {@link #stop}. */
    void run() throws IOException, InterruptedException {
        Optional<DescriptorSocket> accepted = listener.accept();
        while (accepted.isPresent()) {
            serve(accepted.get());
            accepted = listener.accept();
        }
    }

    private void serve(DescriptorSocket frontEnd) throws IOException, InterruptedException {
        log.opened(listen, connect);
        DescriptorSocket backEnd;
        try {
            backEnd = DescriptorSocket.connect(connect);
        } catch (IOException refused) {
            frontEnd.close();
            log.closed(String.valueOf(refused.getMessage()));
            return;
        }
        try (ProxySession opened = new ProxySession(frontEnd, backEnd, log)) {
            begin(opened);
            opened.run();
            end();
        }
    }

    private synchronized void begin(ProxySession opened) {
        session = opened;
        if (stopped) {
            opened.end("trace was stopped");
        }
    }

    /** Under the lock, so that {@link #stop} never touches a socket that was closed. */
    private synchronized void end() {
        session = null;
    }

    /** Ends the session that runs, and {@link #run} after it; may be called by any thread. */
    synchronized void stop() {
        stopped = true;
        listener.stop();
        if (session != null) {
            session.end("trace was stopped");
        }
    }

    @Override
    public void close() throws IOException {
        listener.close();
    }
}
