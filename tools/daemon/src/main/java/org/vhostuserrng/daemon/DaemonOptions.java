package org.vhostuserrng.daemon;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Comparator;
import org.apache.commons.cli.Option;
import org.apache.commons.cli.Options;
import org.apache.commons.cli.help.HelpFormatter;
import org.apache.commons.cli.help.OptionFormatter;
import org.apache.commons.cli.help.TextHelpAppendable;
import org.vhostuserrng.backends.limiter.DrrGuestConfig;
import org.vhostuserrng.backends.limiter.GuestRateLimiter;

/** The options of the daemon: names, and what {@code --help} says of them. Those that QEMU has are as QEMU has them. */
final class DaemonOptions {
    static final String SOCKET_PATH = "--socket-path";
    static final String SOCKET_COUNT = "--socket-count";
    static final String CONNECT = "--connect";
    static final String FD = "--fd";
    static final String SOURCE = "--source";
    static final String MAX_BYTES = "--max-bytes";
    static final String PERIOD = "--period";
    static final String LIMIT_MODE = "--limit-mode";
    static final String BURST = "--burst";
    static final String OPS = "--ops";
    static final String TOTAL_MAX_BYTES = "--total-max-bytes";
    static final String TOTAL_PERIOD = "--total-period";
    static final String GUEST = "--guest";
    static final String MEM_SLOTS = "--mem-slots";
    static final String REQUIRE_SEALED_MEMORY = "--require-sealed-memory";
    static final String PACKED = "--packed";
    static final String IN_ORDER = "--in-order";
    static final String ACCESS_PLATFORM = "--access-platform";
    static final String SPIN = "--spin";
    static final String HELP = "--help";
    static final String VERSION = "--version";

    /** vhost-user, "Back-end program conventions": with this option all others are ignored. */
    static final String PRINT_CAPABILITIES = "--print-capabilities";

    static final String DEFAULT_SOURCE = "getrandom";
    static final int DEFAULT_SPIN_MICROS = 50;

    private static final String SOURCES_AND_EXAMPLE = """

            Sources:
              getrandom              the kernel's generator
              file:PATH              any file, FIFO or device: /dev/hwrng, /dev/random ...; what ends is not begun again
              rdrand                 the processor's generator; with ,reseed=forced a seed of its own for each 128 bits
              rdseed                 the processor's noise
              egd:tcp:HOST:PORT      a server that speaks EGD's protocol, read ahead
              egd:unix:PATH          the same on a UNIX socket
              qng[:LIBRARY]          a ComScire quantum generator, by libqwqngx.so or LIBRARY
              drbg, drbg(A+B)        a generator for each guest, seeded from all of these: rdseed+getrandom; with
                                     ,reseed-bytes=N ,reseed-seconds=N (64 MiB, 300) or ,prediction-resistance
              xor(A,B)               both, joined
            Options of a source follow after commas: min-entropy=BITS of a byte (0.02 to 8), which its health tests
            assume; health=off for what is conditioned already. A comma in a path is doubled.

            Example:
              vhost-user-rng --socket-path=/run/rng.sock --max-bytes=1024 --period=1000
              qemu-system-x86_64 ... -chardev socket,id=c,path=/run/rng.sock \\
                -device vhost-user-rng-pci,chardev=c

            Other programs, each with --help: vhost-user-rng bench, bench-egd, check-source, egd-server, period-study, trace
            """;

    private DaemonOptions() {}

    static Options all() {
        return new Options()
                .addOption(
                        valued(SOCKET_PATH, "PATH", "Listen on this UNIX socket and serve one guest after the other."))
                .addOption(valued(
                        SOCKET_COUNT,
                        "N",
                        "Serve N guests at the same time, on PATH0 to PATHN-1; 1 to " + DaemonCommand.MOST_SOCKETS
                                + "."))
                .addOption(valued(
                        CONNECT, "PATH", "Connect to a VMM that listens on this socket (server=on), again and again."))
                .addOption(valued(FD, "N", "Serve on the inherited socket with this descriptor number, not on a path."))
                .addOption(valued(
                        SOURCE,
                        "SOURCE",
                        "Where random bytes come from, see below; given again: what serves while those before do not."
                                + " Default: " + DEFAULT_SOURCE + "."))
                .addOption(valued(
                        MAX_BYTES,
                        "BYTES",
                        "Give each guest at most so many bytes a period; 1 to 2^63-1. Default: no limit."))
                .addOption(valued(
                        PERIOD,
                        "MS",
                        "Length of the period in milliseconds; 1 to " + GuestRateLimiter.MAX_PERIOD_MILLIS
                                + ". Default: " + GuestRateLimiter.MAX_PERIOD_MILLIS + "."))
                .addOption(valued(
                        LIMIT_MODE,
                        "MODE",
                        "smooth: any time as long as a period has at most the period's bytes and a slice of them."
                                + " window: as QEMU does, all at once if wanted. Default: smooth."))
                .addOption(valued(BURST, "BYTES", "Give each guest so many bytes once, beyond its limit. Default: 0."))
                .addOption(valued(OPS, "N", "Serve at most N requests of each guest a period. Default: no limit."))
                .addOption(valued(
                        TOTAL_MAX_BYTES,
                        "BYTES",
                        "Give all guests together at most so many bytes a total period. Default: no limit."))
                .addOption(valued(
                        TOTAL_PERIOD,
                        "MS",
                        "Length of the total period in milliseconds. Default: " + GuestRateLimiter.MAX_PERIOD_MILLIS
                                + "."))
                .addOption(valued(
                        GUEST,
                        "NAME[,KEY=N...]",
                        "What the guest of the socket with this name may have, other than the others: max-bytes,"
                                + " period, ops, burst; its weight (1 to " + DrrGuestConfig.MAX_WEIGHT
                                + ", default 1)"
                                + " when bytes are short; and min-bytes that it gets first in a total period. A comma"
                                + " in NAME is doubled. May be repeated."))
                .addOption(flag(
                        MEM_SLOTS,
                        "Let the VMM add and remove memory regions one by one, up to 509; not for QEMU 7.2 with "
                                + CONNECT + "."))
                .addOption(flag(REQUIRE_SEALED_MEMORY, "Refuse guest memory that could be truncated while it is used."))
                .addOption(flag(PACKED, "Offer packed virtqueues besides split ones."))
                .addOption(flag(IN_ORDER, "Offer to use buffers in order, which lets some drivers take shortcuts."))
                .addOption(flag(
                        ACCESS_PLATFORM, "Offer to be a device behind the guest's IOMMU (QEMU: iommu_platform=on)."))
                .addOption(valued(
                        SPIN,
                        "US",
                        "Where requests follow each other within so many microseconds, look for the next one that long"
                                + " before sleeping; 0 to 1000. Default: " + DEFAULT_SPIN_MICROS + "."))
                .addOption(flag(PRINT_CAPABILITIES, "Print what this back-end is as JSON, and exit."))
                .addOption(flag(HELP, "Print this, and exit."))
                .addOption(flag(VERSION, "Print the version, and exit."));
    }

    /** Prints what the program is and what its options mean. */
    static void printHelp(Appendable out) {
        try {
            HelpFormatter.builder()
                    .setHelpAppendable(new TextHelpAppendable(out))
                    .setShowSince(false)
                    .setOptionFormatBuilder(
                            OptionFormatter.builder().setOptArgSeparator("=").setArgumentNameDelimiters("", ""))
                    // None is: they stay in their order.
                    .setComparator(Comparator.comparing(Option::isRequired))
                    .get()
                    .printHelp(
                            "vhost-user-rng --socket-path=PATH [OPTION...]",
                            "A virtio entropy device for virtual machines, in a process of its own.",
                            all(),
                            "",
                            false);
            out.append(SOURCES_AND_EXAMPLE);
        } catch (IOException unwritable) {
            throw new UncheckedIOException(unwritable);
        }
    }

    private static Option valued(String name, String argument, String description) {
        return option(name, description).hasArg().argName(argument).get();
    }

    private static Option flag(String name, String description) {
        return option(name, description).get();
    }

    private static Option.Builder option(String name, String description) {
        return Option.builder().longOpt(name.substring("--".length())).desc(description);
    }
}
