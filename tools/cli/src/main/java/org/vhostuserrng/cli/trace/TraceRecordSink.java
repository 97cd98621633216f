package org.vhostuserrng.cli.trace;

import java.io.IOException;

/** Takes events in the order in which they happened: it shows them, or keeps them. */
@FunctionalInterface
interface TraceRecordSink {
    void accept(TraceRecord event) throws IOException;
}
