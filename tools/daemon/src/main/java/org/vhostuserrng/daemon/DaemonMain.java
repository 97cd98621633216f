package org.vhostuserrng.daemon;

import java.util.Arrays;
import org.vhostuserrng.libc.LogStream;
import org.vhostuserrng.libc.NativeArguments;

/** Entry point of the daemon and of the commands {@code hold} and {@code ctl}. */
public final class DaemonMain {
    private DaemonMain() {}

    /**
     * Runs the daemon, {@code hold} or {@code ctl} until it ends. Exit status of the daemon: 0 after an orderly stop, 1
     * after a failure, 2 for an invalid command line.
     */
    public static void main(String[] args) {
        if (JournalPriority.isJournal(System.getenv("JOURNAL_STREAM"))) {
            LogStream.install(new JournalPriority());
        } else {
            LogStream.install();
        }
        String[] words = NativeArguments.decode(args);
        if (words.length > 0 && words[0].equals(HoldOptions.COMMAND)) {
            System.exit(HoldCommand.execute(Arrays.copyOfRange(words, 1, words.length)));
        }
        if (words.length > 0 && words[0].equals(CtlOptions.COMMAND)) {
            System.exit(CtlCommand.execute(Arrays.copyOfRange(words, 1, words.length)));
        }
        System.exit(DaemonCommand.execute(words));
    }
}
