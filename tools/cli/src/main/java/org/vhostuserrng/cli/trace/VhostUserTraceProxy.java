package org.vhostuserrng.cli.trace;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import org.vhostuserrng.frontend.FdPassingListener;
import org.vhostuserrng.frontend.FdPassingSocket;

/** Listens where a VMM connects, and connects it to its back-end: one session after the other, until it is stopped. */
final class VhostUserTraceProxy implements AutoCloseable {
    private final Path listen;
    private final Path connect;
    private final TraceRecordDispatcher dispatcher;
    private final FdPassingListener listener;
    private TraceProxySession session;
    private boolean stopped;

    /**
     * A proxy that listens already.
     *
     * @throws IOException when nobody can listen there
     */
    VhostUserTraceProxy(Path listen, Path connect, TraceRecordDispatcher log) throws IOException {
        this.listen = listen;
        this.connect = connect;
        this.dispatcher = log;
        this.listener = new FdPassingListener(listen);
    }

    /** Returns after {@link #stop}. */
    void run() throws IOException, InterruptedException {
        Optional<FdPassingSocket> accepted = listener.accept();
        while (accepted.isPresent()) {
            serve(accepted.get());
            accepted = listener.accept();
        }
    }

    private void serve(FdPassingSocket frontEnd) throws IOException, InterruptedException {
        dispatcher.opened(listen, connect);
        FdPassingSocket backEnd;
        try {
            backEnd = FdPassingSocket.connect(connect);
        } catch (IOException refused) {
            frontEnd.close();
            dispatcher.closed(String.valueOf(refused.getMessage()));
            return;
        }
        try (TraceProxySession opened = new TraceProxySession(frontEnd, backEnd, dispatcher)) {
            begin(opened);
            opened.run();
            end();
        }
    }

    private synchronized void begin(TraceProxySession opened) {
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
