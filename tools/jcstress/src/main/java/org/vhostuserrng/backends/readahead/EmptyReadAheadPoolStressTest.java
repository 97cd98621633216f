package org.vhostuserrng.backends.readahead;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.ZZ_Result;

/**
 * The event loop polls an empty pool while the read-ahead thread offers a filled block. The event loop must get the
 * block or be notified; otherwise guests wait forever.
 */
@JCStressTest
@Outcome(id = "true, true", expect = ACCEPTABLE, desc = "The event loop gets the block and is notified.")
@Outcome(id = "true, false", expect = ACCEPTABLE, desc = "The event loop gets the block.")
@Outcome(id = "false, true", expect = ACCEPTABLE, desc = "The event loop is notified.")
@Outcome(id = "false, false", expect = FORBIDDEN, desc = "The wakeup is lost.")
@State
public class EmptyReadAheadPoolStressTest extends ReadAheadPoolStressState {
    /** Called by jcstress before the actors run. */
    public EmptyReadAheadPoolStressTest() {}

    /** The event loop's thread: polls for a filled block. */
    @Actor
    public void serve(ZZ_Result result) {
        result.r1 = pool.pollFilled() != null;
    }

    /** The read-ahead thread: offers a filled block. */
    @Actor
    public void fill() {
        pool.offerFilled(block, ReadAheadBlock.BYTES);
    }

    /** Called after both threads have finished. */
    @Arbiter
    public void end(ZZ_Result result) {
        result.r2 = isNotified();
    }
}
