package org.vhostuserrng.backends.readahead;

import java.util.concurrent.atomic.AtomicLong;

/** What went wrong with a source, over all the times it has been open. Written by the thread that reads it; any reads. */
final class SourceFailureCounters {
    private final AtomicLong failures = new AtomicLong();
    private final AtomicLong quarantines = new AtomicLong();
    private final AtomicLong ends = new AtomicLong();

    /** It could not be read. */
    void failed() {
        failures.incrementAndGet();
    }

    /** It failed a health test. */
    void quarantined() {
        quarantines.incrementAndGet();
    }

    /** It has no byte any more. */
    void ended() {
        ends.incrementAndGet();
    }

    /** In a few words for a log; empty if nothing went wrong. */
    @Override
    public String toString() {
        return failures.get() + quarantines.get() + ends.get() == 0
                ? ""
                : "failed " + failures + " times, its health tests " + quarantines + " times, ended " + ends + " times";
    }
}
