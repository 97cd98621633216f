package org.vhostuserrng.cli.trace;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.vhostuserrng.cli.trace.DecodedMessage.Answered;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.Help.Ansi.IStyle;
import picocli.CommandLine.Help.Ansi.Style;

/** Prints events as they come: a line for each message, and a table of the session at its end if it is wanted. */
final class Transcript implements TraceSink {
    private static final String INDENTATION = " ".repeat(16);

    private final PrintWriter out;
    private final Ansi ansi;
    private final boolean summary;
    private Conversation conversation = new Conversation();
    private HandshakeTable table = new HandshakeTable();
    private boolean open;

    /**
     * A transcript.
     *
     * @param summary whether a table follows each session
     */
    Transcript(PrintWriter out, Ansi ansi, boolean summary) {
        this.out = out;
        this.ansi = ansi;
        this.summary = summary;
    }

    @Override
    public void accept(TraceEvent event) {
        switch (event) {
            case TraceEvent.Opened opened -> open(opened);
            case TraceEvent.Message message -> print(conversation.understand(message));
            case TraceEvent.Closed closed -> close(closed);
        }
        out.flush();
    }

    /** No event follows: prints the table of a session whose end nobody saw. */
    void finish() {
        if (open) {
            end();
        }
        out.flush();
    }

    private void open(TraceEvent.Opened opened) {
        finish();
        open = true;
        conversation = new Conversation();
        table = new HandshakeTable();
        out.println(styled(
                "session " + opened.session() + "  " + opened.time() + "  " + opened.listen() + " -> "
                        + opened.connect(),
                Style.bold));
    }

    private void print(DecodedMessage message) {
        if (summary) {
            table.add(message);
        }
        List<String> words = new ArrayList<>();
        words.add(time(message.nanos()));
        words.add(styled(message.from().arrow(), message.from() == Side.FRONT_END ? Style.fg_cyan : Style.fg_green));
        words.add(styled(message.name(), Style.bold));
        words.add(message.flags());
        words.add(message.fields());
        message.answered().map(Transcript::elapsed).ifPresent(words::add);
        words.removeIf(String::isEmpty);
        out.println(String.join("  ", words));
        message.details().forEach(line -> out.println(INDENTATION + line));
        message.notes().forEach(this::note);
    }

    private static String elapsed(Answered answered) {
        return "after " + Quantity.milliseconds(answered.elapsed()) + " ms";
    }

    private void close(TraceEvent.Closed closed) {
        out.println(time(closed.nanos()) + "  " + styled(closed.why(), Style.bold));
        conversation
                .unanswered()
                .forEach(sent -> note(
                        "never answered: " + sent.name() + ", sent at " + Quantity.milliseconds(sent.nanos()) + " ms"));
        end();
    }

    private void end() {
        open = false;
        if (summary) {
            out.println();
            table.lines().forEach(out::println);
        }
        out.println();
    }

    private void note(String text) {
        out.println(INDENTATION + styled("note: " + text, Style.fg_yellow));
    }

    private static String time(long nanos) {
        return String.format(Locale.ROOT, "%12s ms", Quantity.milliseconds(nanos));
    }

    private String styled(String text, IStyle style) {
        // Not style.off(): bold's is what other terminals take for a double underline.
        return ansi.enabled() ? style.on() + text + Style.reset.on() : text;
    }
}
