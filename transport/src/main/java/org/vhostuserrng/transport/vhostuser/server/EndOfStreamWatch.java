package org.vhostuserrng.transport.vhostuser.server;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vhostuserrng.libc.ErrnoException;
import org.vhostuserrng.transport.loop.EventHandler;
import org.vhostuserrng.transport.loop.EventScheduler;
import org.vhostuserrng.transport.sys.InheritedStream;

/** Runs an action when another process has closed its end of a stream. Confined to the loop's thread. */
final class EndOfStreamWatch extends EventHandler implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(EndOfStreamWatch.class);

    private final EventScheduler loop;
    private final InheritedStream stream;
    private final Runnable atEnd;

    private EndOfStreamWatch(EventScheduler loop, InheritedStream stream, Runnable atEnd) {
        this.loop = loop;
        this.stream = stream;
        this.atEnd = atEnd;
    }

    /**
     * Starts to watch a stream. Takes ownership of the stream.
     *
     * @throws ErrnoException if epoll does not support the type of the stream, such as a regular file
     */
    static EndOfStreamWatch start(EventScheduler loop, InheritedStream stream, Runnable atEnd) throws ErrnoException {
        EndOfStreamWatch watch = new EndOfStreamWatch(loop, stream, atEnd);
        loop.watch(watch, stream.fd());
        return watch;
    }

    @Override
    protected void handle(long now, boolean ready) {
        if (stream.hasEnded()) {
            atEnd.run();
        }
    }

    @Override
    public void handleBug(RuntimeException bug) {
        LOG.error("bug in vhost-user-rng: watching {} failed", stream.fd(), bug);
    }

    @Override
    public void close() {
        loop.unwatch(this, stream.fd());
        stream.close();
    }
}
