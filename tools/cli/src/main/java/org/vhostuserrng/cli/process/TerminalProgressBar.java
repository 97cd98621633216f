package org.vhostuserrng.cli.process;

import jnr.posix.POSIX;
import jnr.posix.POSIXFactory;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/** A bar on stderr for whoever waits at a terminal; nothing at all when output goes elsewhere. */
public interface TerminalProgressBar extends AutoCloseable {
    int STDOUT = 1;
    int STDERR = 2;

    /** So much more of the whole is done. */
    void step(long done);

    @Override
    void close();

    /** A bar if both stdout and stderr are terminals. */
    static TerminalProgressBar onTerminal(String task, long whole) {
        POSIX posix = POSIXFactory.getPOSIX();
        boolean terminal = posix.isatty(STDOUT) != 0 && posix.isatty(STDERR) != 0;
        return terminal ? bar(task, whole) : none();
    }

    private static TerminalProgressBar bar(String task, long whole) {
        ProgressBar bar = new ProgressBarBuilder()
                .setTaskName(task)
                .setInitialMax(whole)
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

    private static TerminalProgressBar none() {
        return new TerminalProgressBar() {
            @Override
            public void step(long done) {}

            @Override
            public void close() {}
        };
    }
}
