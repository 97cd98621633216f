package org.vhostuserrng.cli.top;

import java.io.IOException;
import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.vhostuserrng.cli.counters.CountersFileOption;
import org.vhostuserrng.cli.counters.CountersFileSource;
import org.vhostuserrng.cli.counters.CountersSnapshot;
import org.vhostuserrng.cli.options.IntegerRangeConverter;
import org.vhostuserrng.cli.process.CommandShutdownHook;
import org.vhostuserrng.cli.process.CommandSignals;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code top}: shows what each guest receives, until a signal stops it. */
@Command(
        name = "top",
        description = "Show the rates of each guest of a daemon, from its counters file (--counters-file). Guests"
                + " without a front-end are in parentheses.",
        mixinStandardHelpOptions = true)
public final class TopCommand implements Callable<Integer> {
    /** ECMA-48: moves the cursor to the top left; erases the rest of the display, or of the line. */
    private static final String HOME = "\u001b[H";

    private static final String ERASE_BELOW = "\u001b[J";
    private static final String ERASE_LINE = "\u001b[K";
    /** Width of a line in characters if stdout is not a terminal. */
    private static final int PLAIN_WIDTH = 120;
    /** Number of lines that do not show a guest: the summary, the header, and the number of guests that do not fit. */
    private static final int OTHER_LINES = 7;

    @Spec
    private CommandSpec spec;

    @Mixin
    private CountersFileOption countersFile;

    @Option(names = "--once", description = "Show one interval, then exit.")
    private boolean once;

    @Option(names = "--json", description = "Print one JSON object per interval.")
    private boolean json;

    @Option(
            names = "--interval",
            paramLabel = "S",
            defaultValue = "1",
            converter = IntervalConverter.class,
            description = "Length of an interval in seconds, 1..3600 (default: ${DEFAULT-VALUE}).")
    private int interval;

    @Override
    public Integer call() throws IOException, InterruptedException {
        CountDownLatch stopped = new CountDownLatch(1);
        CommandShutdownHook hook = new CommandShutdownHook();
        CommandSignals.surviveAllButHangup();
        hook.setStopAction(stopped::countDown);
        boolean success = false;
        try {
            run(countersFile.source(), stopped);
            success = true;
        } finally {
            hook.commandFinished(success);
        }
        return 0;
    }

    private void run(CountersFileSource source, CountDownLatch stopped) throws IOException, InterruptedException {
        PrintWriter out = spec.commandLine().getOut();
        CountersSnapshot earlier = source.read();
        boolean more = true;
        while (more && !stopped.await(interval, TimeUnit.SECONDS)) {
            CountersSnapshot later = source.read();
            print(out, later, GuestRates.between(earlier, later));
            out.flush();
            earlier = later;
            more = !once && !out.checkError();
        }
    }

    private void print(PrintWriter out, CountersSnapshot snapshot, List<GuestRates> guests) throws IOException {
        if (json) {
            out.println(TopJson.of(snapshot, guests));
            return;
        }
        TerminalSize terminal = TerminalSize.ofStdout();
        if (terminal == null || once) {
            int width = terminal == null ? PLAIN_WIDTH : terminal.columns();
            new TopTable(width, Integer.MAX_VALUE).lines(snapshot, guests).forEach(out::println);
            if (!once) {
                out.println();
            }
            return;
        }
        int maxRows = Math.max(1, terminal.rows() - OTHER_LINES);
        out.print(HOME);
        new TopTable(terminal.columns(), maxRows)
                .lines(snapshot, guests)
                .forEach(line -> out.println(line + ERASE_LINE));
        out.print(ERASE_BELOW);
    }

    static final class IntervalConverter extends IntegerRangeConverter {
        IntervalConverter() {
            super(1, 3600);
        }
    }
}
