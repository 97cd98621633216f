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
 * The read-ahead thread polls for an empty block while the event loop recycles one. The read-ahead thread must get the
 * block or be woken; otherwise it never reads from the source again.
 */
@JCStressTest
@Outcome(id = "true, true", expect = ACCEPTABLE, desc = "The read-ahead thread gets the block and is woken.")
@Outcome(id = "true, false", expect = ACCEPTABLE, desc = "The read-ahead thread gets the block.")
@Outcome(id = "false, true", expect = ACCEPTABLE, desc = "The read-ahead thread is woken.")
@Outcome(id = "false, false", expect = FORBIDDEN, desc = "The wakeup is lost.")
@State
public class FullReadAheadPoolStressTest extends ReadAheadPoolStressState {
    private final ReadAheadBlock used;

    /** Called by jcstress before the actors run. */
    public FullReadAheadPoolStressTest() {
        pool.offerFilled(block, ReadAheadBlock.BYTES);
        used = pool.pollFilled();
    }

    /** The read-ahead thread: polls for an empty block. */
    @Actor
    public void fill(ZZ_Result result) {
        result.r1 = pool.pollEmpty() != null;
    }

    /** The event loop's thread: recycles a block. */
    @Actor
    public void serve() {
        pool.recycle(used);
    }

    /** Called after both threads have finished. */
    @Arbiter
    public void end(ZZ_Result result) {
        result.r2 = isWoken();
    }
}
