package org.vhostuserrng.cli.process;

import jnr.posix.POSIX;
import jnr.posix.POSIXFactory;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/** A progress bar on stderr; disabled unless stdout and stderr are terminals. */
public interface TerminalProgressBar extends AutoCloseable {
    int STDOUT = 1;
    int STDERR = 2;

    /** Advances the bar by {@code done} units. */
    void step(long done);

    @Override
    void close();

    /** Creates a bar of {@code total} units if stdout and stderr are terminals, otherwise a bar without output. */
    static TerminalProgressBar onTerminal(String task, long total) {
        POSIX posix = POSIXFactory.getPOSIX();
        boolean terminal = posix.isatty(STDOUT) != 0 && posix.isatty(STDERR) != 0;
        return terminal ? bar(task, total) : disabled();
    }

    private static TerminalProgressBar bar(String task, long total) {
        ProgressBar bar = new ProgressBarBuilder()
                .setTaskName(task)
                .setInitialMax(total)
                .setStyle(ProgressBarStyle.ASCII)
                .setUpdateIntervalMillis(500)
                .hideEta()
                .build();
        return new TerminalProgressBar() {
            @Override
            public void step(long done) {
                bar.stepBy(done);
            }

            @Override
            public void close() {
                bar.close();
            }
        };
    }

    private static TerminalProgressBar disabled() {
        return new TerminalProgressBar() {
            @Override
            public void step(long done) {}

            @Override
            public void close() {}
        };
    }
}
