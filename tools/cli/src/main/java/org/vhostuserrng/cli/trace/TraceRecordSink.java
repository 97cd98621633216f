package org.vhostuserrng.cli.trace;

import java.io.IOException;

/** Receives records in chronological order, to print or to store them. */
@FunctionalInterface
interface TraceRecordSink {
    void accept(TraceRecord traceRecord) throws IOException;
}
