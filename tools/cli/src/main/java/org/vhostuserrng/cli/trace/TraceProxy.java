package org.vhostuserrng.cli.trace;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import org.vhostuserrng.frontend.FdPassingListener;
import org.vhostuserrng.frontend.FdPassingSocket;

/** Listens for a VMM and connects it to its back-end: one session at a time, until the proxy is stopped. */
final class TraceProxy implements AutoCloseable {
    private final Path listen;
    private final Path connect;
    private final Optional<TraceProtocol> protocol;
    private final TraceRecordDispatcher dispatcher;
    private final FdPassingListener listener;
    private TraceProxySession session;
    private boolean stopped;

    /**
     * Opens the listening socket.
     *
     * @param protocol the protocol of all sessions; empty to detect that of each session
     * @throws IOException if the socket cannot be bound to {@code listen}
     */
    TraceProxy(Path listen, Path connect, Optional<TraceProtocol> protocol, TraceRecordDispatcher log)
            throws IOException {
        this.listen = listen;
        this.connect = connect;
        this.protocol = protocol;
        this.dispatcher = log;
        this.listener = new FdPassingListener(listen);
    }

    /** Serves sessions until {@link #stop} is called. */
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
        try (TraceProxySession opened = new TraceProxySession(frontEnd, backEnd, protocol, dispatcher)) {
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

    /** Clears the session. Synchronized, so that {@link #stop} never uses a closed socket. */
    private synchronized void end() {
        session = null;
    }

    /** Ends the current session and makes {@link #run} return. Any thread may call this. */
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
