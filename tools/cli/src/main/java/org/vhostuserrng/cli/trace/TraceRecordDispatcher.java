package org.vhostuserrng.cli.trace;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.vhostuserrng.cli.trace.TraceRecord.PassedFd;
import org.vhostuserrng.libc.NativePath;

/**
 * Adds a timestamp to each event and passes the event to all sinks, which receive the events of all threads in the same
 * order. A sink that fails, for example because the disk is full, is removed, and the session of the VMM continues.
 * Thread-safe.
 */
final class TraceRecordDispatcher {
    private final List<TraceRecordSink> sinks;
    private final PrintWriter errors;
    private boolean sinkFailed;
    private int sessions;
    private long start;

    TraceRecordDispatcher(List<TraceRecordSink> sinks, PrintWriter complaints) {
        this.sinks = new ArrayList<>(sinks);
        this.errors = complaints;
    }

    synchronized void opened(Path listen, Path connect) {
        start = System.nanoTime();
        sessions++;
        Instant time = Instant.now().truncatedTo(ChronoUnit.MILLIS);
        emit(new TraceRecord.SessionOpened(sessions, time, NativePath.text(listen), NativePath.text(connect)));
    }

    synchronized void message(TraceSide from, byte[] bytes, List<PassedFd> descriptors) {
        emit(new TraceRecord.MessageSent(System.nanoTime() - start, from, bytes, descriptors));
    }

    synchronized void closed(String why) {
        emit(new TraceRecord.SessionClosed(System.nanoTime() - start, why));
    }

    /** Whether a sink has failed. */
    synchronized boolean hasFailed() {
        return sinkFailed;
    }

    private void emit(TraceRecord traceRecord) {
        Iterator<TraceRecordSink> each = sinks.iterator();
        while (each.hasNext()) {
            try {
                each.next().accept(traceRecord);
            } catch (IOException failed) {
                each.remove();
                sinkFailed = true;
                errors.println("vhost-user-rng trace: recording stopped: " + failed.getMessage());
            }
        }
    }
}
