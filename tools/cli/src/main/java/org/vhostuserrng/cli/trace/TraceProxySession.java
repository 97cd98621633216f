package org.vhostuserrng.cli.trace;

import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.vhostuserrng.frontend.FdPassingSocket;

/**
 * Connects a front-end with its back-end until one of them closes the connection. Each direction has a thread that
 * forwards the messages.
 */
final class TraceProxySession implements AutoCloseable {
    private final FdPassingSocket frontEnd;
    private final FdPassingSocket backEnd;
    private final TraceProtocolDetector detector;
    private final TraceRecordDispatcher dispatcher;
    private final AtomicReference<String> end = new AtomicReference<>();

    /**
     * Takes ownership of both sockets.
     *
     * @param protocol the protocol; empty to detect it
     */
    TraceProxySession(
            FdPassingSocket frontEnd,
            FdPassingSocket backEnd,
            Optional<TraceProtocol> protocol,
            TraceRecordDispatcher log) {
        this.frontEnd = frontEnd;
        this.backEnd = backEnd;
        this.detector = new TraceProtocolDetector(protocol);
        this.dispatcher = log;
    }

    /** Forwards messages in both directions. Returns when both connections are closed and all messages are reported. */
    void run() throws InterruptedException {
        Thread replies =
                Thread.ofPlatform().name("back-end").start(() -> forward(TraceSide.BACK_END, backEnd, frontEnd));
        forward(TraceSide.FRONT_END, frontEnd, backEnd);
        replies.join();
        dispatcher.closed(end.get());
    }

    private void forward(TraceSide side, FdPassingSocket from, FdPassingSocket to) {
        try {
            new TraceMessageForwarder(side, from, to, detector, dispatcher).forward();
            end("the " + name(side) + " closed");
        } catch (IOException failed) {
            end("the " + name(side) + "'s message could not be forwarded: " + failed.getMessage());
        } finally {
            // End the session even after an unexpected exception, so that the other direction does not block forever.
            end("trace failed");
        }
    }

    private String name(TraceSide side) {
        return detector.known().orElse(TraceProtocol.VHOST_USER).sideName(side);
    }

    /** Ends the session. Only the first call determines the reason. Any thread may call this. */
    void end(String reason) {
        end.compareAndSet(null, reason);
        frontEnd.shutdown();
        backEnd.shutdown();
    }

    @Override
    public void close() throws IOException {
        try (backEnd) {
            frontEnd.close();
        }
    }
}
