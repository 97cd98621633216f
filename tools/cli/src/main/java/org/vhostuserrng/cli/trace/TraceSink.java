package org.vhostuserrng.cli.trace;

import java.io.IOException;

/** Takes events in the order in which they happened: it shows them, or keeps them. */
@FunctionalInterface
interface TraceSink {
    void accept(TraceEvent event) throws IOException;
}
