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

/**
 * Names and {@code --help} texts of the daemon's options. {@code --max-bytes} and {@code --period} have the meaning of
 * the options of QEMU's virtio-rng.
 */
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

    /** vhost-user, "Backend program conventions": disables all other options. */
    static final String PRINT_CAPABILITIES = "--print-capabilities";

    static final String DEFAULT_SOURCE = "getrandom";
    static final int DEFAULT_SPIN_MICROS = 50;

    private static final String SOURCES_AND_EXAMPLE = """

            Sources:
              getrandom              the kernel's random number generator
              file:PATH              a file, FIFO or device such as /dev/hwrng; at the end of a file the source ends
              rdrand                 the CPU's generator; rdrand,reseed=forced uses a fresh seed for every 128 bits
              rdseed                 the CPU's noise source
              egd:tcp:HOST:PORT      an EGD server, read ahead; reconnects when the connection is lost
              egd:unix:PATH          the same on a UNIX socket
              qng[:LIBRARY]          a ComScire quantum generator, through libqwqngx.so or LIBRARY
              drbg, drbg(A+B)        one CTR_DRBG per guest, seeded from all listed sources (default rdseed+getrandom);
                                     reseeded after reseed-bytes=N (default 64 MiB) or reseed-seconds=N (default 300),
                                     or for each request with prediction-resistance
              xor(A,B)               the XOR of two sources
            Options follow the source, separated by commas: min-entropy=BITS declares the min-entropy per byte (0.02
            to 8) for the health tests; health=off skips the tests, for sources that are already conditioned. Write a
            comma in a path twice.

            Example:
              vhost-user-rng --socket-path=/run/rng.sock --max-bytes=1024 --period=1000
              qemu-system-x86_64 ... -chardev socket,id=c,path=/run/rng.sock \\
                -device vhost-user-rng-pci,chardev=c

            Other commands, each with --help:
              vhost-user-rng bench | bench-egd | bench-suite | check-source | egd-server | period-study | trace
            """;

    private DaemonOptions() {}

    static Options all() {
        return new Options()
                .addOption(valued(
                        SOCKET_PATH,
                        "PATH",
                        "UNIX socket to listen on. Serves one guest at a time, one after the other."))
                .addOption(valued(
                        SOCKET_COUNT,
                        "N",
                        "Listen on PATH0 to PATHN-1 instead of PATH, for one guest each; 1 to "
                                + DaemonCommand.MAX_SOCKETS + "."))
                .addOption(valued(
                        CONNECT,
                        "PATH",
                        "Connect to a VMM that listens on this UNIX socket (server=on); reconnects whenever the"
                                + " connection is lost."))
                .addOption(valued(FD, "N", "Serve on this inherited socket, which is listening or connected."))
                .addOption(valued(
                        SOURCE,
                        "SOURCE",
                        "Entropy source, see below. Repeatable: later sources are fallbacks, tried in order. Default: "
                                + DEFAULT_SOURCE + "."))
                .addOption(valued(
                        MAX_BYTES,
                        "BYTES",
                        "Maximum number of bytes per guest and period; 1 to 2^63-1. Default: no limit."))
                .addOption(valued(
                        PERIOD,
                        "MS",
                        "Length of the period in milliseconds; 1 to " + GuestRateLimiter.MAX_PERIOD_MILLIS
                                + ". Default: " + GuestRateLimiter.MAX_PERIOD_MILLIS + "."))
                .addOption(valued(
                        LIMIT_MODE,
                        "MODE",
                        "smooth: no interval of one period gets more than BYTES plus one slice (BYTES/64)."
                                + " window: BYTES per fixed period, as QEMU does. Default: smooth."))
                .addOption(valued(BURST, "BYTES", "One-time allowance per guest beyond its limit. Default: 0."))
                .addOption(valued(OPS, "N", "Maximum number of requests per guest and period. Default: no limit."))
                .addOption(valued(
                        TOTAL_MAX_BYTES,
                        "BYTES",
                        "Maximum number of bytes of all guests together per total period. Default: no limit."))
                .addOption(valued(
                        TOTAL_PERIOD,
                        "MS",
                        "Length of the total period in milliseconds. Default: " + GuestRateLimiter.MAX_PERIOD_MILLIS
                                + "."))
                .addOption(valued(
                        GUEST,
                        "NAME[,KEY=N...]",
                        "Settings of the guest on the socket with this file name, repeatable. Own limits: max-bytes,"
                                + " period, ops, burst. Share of a total or of a source that is too slow for all"
                                + " guests: weight (1 to " + DrrGuestConfig.MAX_WEIGHT
                                + ", default 1). Bytes reserved per total period: min-bytes. Write a comma in NAME"
                                + " twice."))
                .addOption(flag(
                        MEM_SLOTS,
                        "Let the VMM add and remove single memory regions, up to 509. Incompatible with QEMU 7.2 and "
                                + CONNECT + "."))
                .addOption(flag(
                        REQUIRE_SEALED_MEMORY, "Refuse guest memory that the VMM could truncate while it is in use."))
                .addOption(flag(PACKED, "Offer packed virtqueues in addition to split ones."))
                .addOption(flag(IN_ORDER, "Offer VIRTIO_F_IN_ORDER, which some drivers handle faster."))
                .addOption(flag(
                        ACCESS_PLATFORM,
                        "Offer VIRTIO_F_ACCESS_PLATFORM, for a device behind a guest IOMMU (QEMU: iommu_platform=on)."))
                .addOption(valued(
                        SPIN,
                        "US",
                        "When requests arrive less than US microseconds apart, poll for that long before sleeping;"
                                + " 0 to 1000. Default: " + DEFAULT_SPIN_MICROS + "."))
                .addOption(flag(PRINT_CAPABILITIES, "Print the back-end's capabilities as JSON and exit."))
                .addOption(flag(HELP, "Print this help and exit."))
                .addOption(flag(VERSION, "Print the version and exit."));
    }

    /** Prints usage, options, sources and an example. */
    static void printHelp(Appendable out) {
        try {
            HelpFormatter.builder()
                    .setHelpAppendable(new TextHelpAppendable(out))
                    .setShowSince(false)
                    .setOptionFormatBuilder(
                            OptionFormatter.builder().setOptArgSeparator("=").setArgumentNameDelimiters("", ""))
                    // Keeps the order of the options: no option is required, so all compare as equal.
                    .setComparator(Comparator.comparing(Option::isRequired))
                    .get()
                    .printHelp(
                            "vhost-user-rng --socket-path=PATH [OPTION...]",
                            "A vhost-user back-end for virtio-rng devices: serves random bytes to virtual machines.",
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
