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
 * The filler thread finds no empty block and looks once more while the serving thread gives one back: it gets that, or is
 * woken, or reads no byte any more.
 */
@JCStressTest
@Outcome(id = "true, true", expect = ACCEPTABLE, desc = "It gets the block, and is woken as well.")
@Outcome(id = "true, false", expect = ACCEPTABLE, desc = "It gets the block.")
@Outcome(id = "false, true", expect = ACCEPTABLE, desc = "It is woken.")
@Outcome(id = "false, false", expect = FORBIDDEN, desc = "It never learns of the block.")
@State
public class FullReadAheadPoolStress extends ReadAheadPoolStressState {
    private final ReadAheadBlock used;

    /** Before either thread does anything. */
    public FullReadAheadPoolStress() {
        pool.handIn(block, ReadAheadBlock.BYTES);
        used = pool.takeFilled();
    }

    /** The filler thread. */
    @Actor
    public void fill(ZZ_Result result) {
        result.r1 = pool.takeEmpty() != null;
    }

    /** The serving thread. */
    @Actor
    public void serve() {
        pool.giveBack(used);
    }

    /** When both are through. */
    @Arbiter
    public void end(ZZ_Result result) {
        result.r2 = isWoken();
    }
}
