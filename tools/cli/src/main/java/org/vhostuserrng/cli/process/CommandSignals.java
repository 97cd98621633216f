package org.vhostuserrng.cli.process;

import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vhostuserrng.libc.ServiceSignals;
import org.vhostuserrng.libc.SurvivedSignalLog;

/** The signals that do not end a long-running command. They are logged; see {@link ServiceSignals}. */
public final class CommandSignals {
    private static final Logger LOG = LoggerFactory.getLogger(CommandSignals.class);

    private CommandSignals() {}

    /** For a service: SIGHUP does not end it either. */
    public static void survive() {
        ServiceSignals.survive(log()::received);
    }

    /** For a command in a terminal: SIGHUP ends it, because the terminal was closed. */
    public static void surviveAllButHangup() {
        ServiceSignals.surviveAllBut(Set.of("HUP"), log()::received);
    }

    private static SurvivedSignalLog log() {
        return new SurvivedSignalLog(System::nanoTime, LOG::warn);
    }
}
