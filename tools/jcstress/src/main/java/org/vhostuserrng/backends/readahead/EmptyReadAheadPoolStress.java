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
 * The serving thread finds the pool dry and looks once more while the filler thread hands in a block: it gets that, or is
 * told, or guests wait for ever.
 */
@JCStressTest
@Outcome(id = "true, true", expect = ACCEPTABLE, desc = "It gets the block, and is told as well.")
@Outcome(id = "true, false", expect = ACCEPTABLE, desc = "It gets the block.")
@Outcome(id = "false, true", expect = ACCEPTABLE, desc = "It is told.")
@Outcome(id = "false, false", expect = FORBIDDEN, desc = "It never learns of the block.")
@State
public class EmptyReadAheadPoolStress extends ReadAheadPoolStressState {
    /** Before either thread does anything. */
    public EmptyReadAheadPoolStress() {}

    /** The serving thread. */
    @Actor
    public void serve(ZZ_Result result) {
        result.r1 = pool.takeFilled() != null;
    }

    /** The filler thread. */
    @Actor
    public void fill() {
        pool.handIn(block, ReadAheadBlock.BYTES);
    }

    /** When both are through. */
    @Arbiter
    public void end(ZZ_Result result) {
        result.r2 = isTold();
    }
}
