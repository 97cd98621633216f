package org.vhostuserrng.cli.trace;

import java.io.IOException;

/** Receives records in chronological order and prints or stores them. */
@FunctionalInterface
interface TraceRecordSink {
    void accept(TraceRecord traceRecord) throws IOException;
}
