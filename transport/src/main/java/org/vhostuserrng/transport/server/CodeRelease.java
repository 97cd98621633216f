package org.vhostuserrng.transport.server;

import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vhostuserrng.transport.loop.Activity;
import org.vhostuserrng.transport.loop.EventLoop;
import org.vhostuserrng.transport.sys.ProgramPages;

/**
 * Has the JVM's code unmapped again and again: its compiler, which needs most of it, is at work when guests come, and then
 * hardly any more. 8 MB of what the process takes, for a fifth of a millisecond every time. Confined to the loop's thread.
 */
final class CodeRelease extends Activity {
    private static final Logger LOG = LoggerFactory.getLogger(CodeRelease.class);
    private static final long PERIOD_NANOS = TimeUnit.SECONDS.toNanos(5);

    private final EventLoop loop;
    private final ProgramPages pages;

    CodeRelease(EventLoop loop, ProgramPages pages) {
        this.loop = loop;
        this.pages = pages;
    }

    void begin() {
        loop.schedule(this, loop.now() + PERIOD_NANOS);
    }

    @Override
    protected void run(long now, boolean ready) {
        pages.releaseCode();
        loop.schedule(this, now + PERIOD_NANOS);
    }

    @Override
    protected void fail(RuntimeException bug) {
        LOG.error("the JVM's code stays mapped", bug);
    }
}
