package org.vhostuserrng.daemon;

import org.apache.commons.cli.Options;

/** Names and {@code --help} texts of the options of the command {@code hold}. */
final class HoldOptions {
    static final String COMMAND = "hold";

    static final String MAX_FDS_OPTION = "--max-fds";
    static final String WATCHDOG = "--watchdog";
    static final String STOP_TIMEOUT = "--stop-timeout";
    static final String HELP = "--help";
    static final String VERSION = "--version";

    /** 16 descriptors for each of 4096 guests. The separators of as many names fit in LISTEN_FDNAMES (128 KiB). */
    static final int MAX_FDS = 1 << 16;

    static final int DEFAULT_STOP_TIMEOUT_SECONDS = 10;

    private HoldOptions() {}

    static Options all() {
        return new Options()
                .addOption(DaemonOptions.valued(
                        MAX_FDS_OPTION,
                        "N",
                        "Maximum number of stored descriptors; " + DaemonOptionRange.HOLD_FDS
                                + ". Default: what the hard limit of open files (ulimit -Hn) allows."))
                .addOption(DaemonOptions.valued(
                        WATCHDOG,
                        "SECONDS",
                        "Kill and restart COMMAND if it sends no WATCHDOG=1 for that long after READY=1; "
                                + DaemonOptionRange.HOLD_SECONDS + ". Default: no watchdog."))
                .addOption(DaemonOptions.valued(
                        STOP_TIMEOUT,
                        "SECONDS",
                        "Kill COMMAND if it has not ended that long after SIGTERM or SIGINT; "
                                + DaemonOptionRange.HOLD_SECONDS + ". Default: " + DEFAULT_STOP_TIMEOUT_SECONDS + "."))
                .addOption(DaemonOptions.flag(HELP, 'h', "Print this help and exit."))
                .addOption(DaemonOptions.flag(VERSION, 'V', "Print the version and exit."));
    }
}
