package org.vhostuserrng.cli.trace;

import java.io.IOException;
import java.util.concurrent.atomic.AtomicReference;
import org.vhostuserrng.frontend.FdPassingSocket;

/** A front-end and its back-end, connected through two pumps, each in a thread of its own, till either closes. */
final class TraceProxySession implements AutoCloseable {
    private final FdPassingSocket frontEnd;
    private final FdPassingSocket backEnd;
    private final TraceRecordDispatcher dispatcher;
    private final AtomicReference<String> end = new AtomicReference<>();

    /** A session that owns both sockets from now on. */
    TraceProxySession(FdPassingSocket frontEnd, FdPassingSocket backEnd, TraceRecordDispatcher log) {
        this.frontEnd = frontEnd;
        this.backEnd = backEnd;
        this.dispatcher = log;
    }

    /** Returns when both sides are closed, with everything reported. */
    void run() throws InterruptedException {
        Thread replies =
                Thread.ofPlatform().name("back-end").start(() -> forward(VhostUserSide.BACK_END, backEnd, frontEnd));
        forward(VhostUserSide.FRONT_END, frontEnd, backEnd);
        replies.join();
        dispatcher.closed(end.get());
    }

    private void forward(VhostUserSide side, FdPassingSocket from, FdPassingSocket to) {
        try {
            new TraceMessageForwarder(side, from, to, dispatcher).forward();
            end("the " + side.displayName() + " closed");
        } catch (IOException failed) {
            end("the " + side.displayName() + "'s message was not passed on: " + failed.getMessage());
        } finally {
            // A bug of ours must not leave the other pump waiting for ever.
            end("trace failed");
        }
    }

    /** Ends the session, if nothing has ended it yet; may be called by any thread. */
    void end(String why) {
        end.compareAndSet(null, why);
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
