package org.vhostuserrng.cli.trace;

import java.io.IOException;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.vhostuserrng.cli.trace.TraceDecodedMessage.RepliedRequest;
import org.vhostuserrng.libc.NativeText;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.Help.Ansi.IStyle;
import picocli.CommandLine.Help.Ansi.Style;

/**
 * Prints records: one line per message and, with {@code --summary}, a table at the end of each session. Never prints
 * control characters, which paths and all texts of a replayed file may contain.
 */
final class TracePrinter implements TraceRecordSink {
    private static final String INDENTATION = " ".repeat(16);

    private final PrintWriter out;
    private final Ansi ansi;
    private final boolean summary;
    private final Optional<TraceProtocol> protocol;
    private TraceProtocolDetector detector;
    private TraceMessageDecoder decoder;
    private TraceSummaryTable table;
    private boolean open;

    /**
     * Creates a printer.
     *
     * @param summary whether to print a table at the end of each session
     * @param protocol the protocol of all sessions; empty to detect that of each session
     */
    TracePrinter(PrintWriter out, Ansi ansi, boolean summary, Optional<TraceProtocol> protocol) {
        this.out = out;
        this.ansi = ansi;
        this.summary = summary;
        this.protocol = protocol;
        beginSession();
    }

    @Override
    public void accept(TraceRecord traceRecord) throws IOException {
        switch (traceRecord) {
            case TraceRecord.SessionOpened opened -> open(opened);
            case TraceRecord.MessageSent message -> print(decode(message));
            case TraceRecord.SessionClosed closed -> close(closed);
        }
        if (out.checkError()) {
            throw new IOException("cannot write to stdout");
        }
    }

    /** Prints the table of a session whose end was not recorded. Must be called after the last record. */
    void flushOpenSession() {
        if (open) {
            end();
        }
        out.flush();
    }

    private void beginSession() {
        detector = new TraceProtocolDetector(protocol);
        decoder = null;
        table = new TraceSummaryTable();
    }

    private TraceDecodedMessage decode(TraceRecord.MessageSent message) {
        if (decoder == null) {
            decoder = detector.detect(message.bytes()).newDecoder();
        }
        return decoder.decode(message);
    }

    private void open(TraceRecord.SessionOpened opened) {
        flushOpenSession();
        open = true;
        beginSession();
        out.println(styled(
                "session " + opened.session() + "  " + opened.time() + "  " + opened.listen() + " -> "
                        + opened.connect(),
                Style.bold));
    }

    private void print(TraceDecodedMessage message) {
        if (summary) {
            table.add(message);
        }
        List<String> words = new ArrayList<>();
        words.add(time(message.nanos()));
        words.add(styled(message.arrow(), message.from() == TraceSide.FRONT_END ? Style.fg_cyan : Style.fg_green));
        words.add(styled(message.name(), Style.bold));
        words.add(message.flags());
        words.add(NativeText.printable(message.fields()));
        message.repliedTo().map(TracePrinter::elapsed).ifPresent(words::add);
        words.removeIf(String::isEmpty);
        out.println(String.join("  ", words));
        message.details().forEach(line -> out.println(INDENTATION + NativeText.printable(line)));
        message.notes().forEach(this::note);
    }

    private static String elapsed(RepliedRequest answered) {
        return "after " + TraceNumberFormat.milliseconds(answered.elapsed()) + " ms";
    }

    private void close(TraceRecord.SessionClosed closed) {
        out.println(time(closed.nanos()) + "  " + styled(closed.reason(), Style.bold));
        unanswered()
                .forEach(sent -> note("no reply: " + sent.name() + ", sent at "
                        + TraceNumberFormat.milliseconds(sent.nanos()) + " ms"));
        end();
    }

    private List<TracePendingRequests.SentRequest> unanswered() {
        return decoder == null ? List.of() : decoder.unanswered();
    }

    private void end() {
        open = false;
        if (summary) {
            out.println();
            table.lines().forEach(line -> out.println(NativeText.printable(line)));
        }
        out.println();
    }

    private void note(String text) {
        out.println(INDENTATION + styled("note: " + text, Style.fg_yellow));
    }

    private static String time(long nanos) {
        return String.format(Locale.ROOT, "%12s ms", TraceNumberFormat.milliseconds(nanos));
    }

    private String styled(String text, IStyle style) {
        // Not style.off(): some terminals interpret its code for "bold off" as double underline.
        String printable = NativeText.printable(text);
        return ansi.enabled() ? style.on() + printable + Style.reset.on() : printable;
    }
}
