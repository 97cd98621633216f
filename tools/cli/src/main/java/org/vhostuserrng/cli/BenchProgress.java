package org.vhostuserrng.cli;

import java.time.Duration;
import jnr.posix.POSIX;
import jnr.posix.POSIXFactory;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/** A bar on stderr for whoever waits at a terminal; nothing at all when output goes elsewhere. */
interface BenchProgress extends AutoCloseable {
    int STDOUT = 1;
    int STDERR = 2;

    void step(Duration done);

    @Override
    void close();

    /** A bar if both stdout and stderr are terminals. */
    static BenchProgress onTerminal(int seconds) {
        POSIX posix = POSIXFactory.getPOSIX();
        boolean terminal = posix.isatty(STDOUT) != 0 && posix.isatty(STDERR) != 0;
        return terminal ? bar(Duration.ofSeconds(seconds)) : none();
    }

    private static BenchProgress bar(Duration whole) {
        ProgressBar bar = new ProgressBarBuilder()
                .setTaskName("bench")
                .setInitialMax(whole.toMillis())
                .setStyle(ProgressBarStyle.ASCII)
                .setUpdateIntervalMillis(500)
                .hideEta()
                .build();
        return new BenchProgress() {
            @Override
            public void step(Duration done) {
                bar.stepBy(done.toMillis());
            }

            @Override
            public void close() {
                bar.close();
            }
        };
    }

    private static BenchProgress none() {
        return new BenchProgress() {
            @Override
            public void step(Duration done) {}

            @Override
            public void close() {}
        };
    }
}
