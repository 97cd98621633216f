package org.vhostuserrng.daemon;

import org.apache.commons.cli.Option;
import org.apache.commons.cli.Options;
import org.vhostuserrng.backends.limiter.GuestRateLimiter;

/**
 * Names and {@code --help} texts of the daemon's options. {@code --max-bytes} and {@code --period} have the meaning of
 * the options of QEMU's virtio-rng.
 */
final class DaemonOptions {
    static final String SOCKET_PATH = "--socket-path";
    static final String SOCKET_COUNT = "--socket-count";
    static final String VFIO_USER = "--vfio-user";
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
    static final String MAX_GUEST_MEMORY = "--max-guest-memory";
    static final String REQUIRE_SEALED_MEMORY = "--require-sealed-memory";
    static final String ALLOW_MEMORY_ON = "--allow-memory-on";
    static final String PACKED = "--packed";
    static final String IN_ORDER = "--in-order";
    static final String ACCESS_PLATFORM = "--access-platform";
    static final String SPIN = "--spin";
    static final String CONTROL_SOCKET = "--control-socket";
    static final String CONTROL_SOCKET_MODE = "--control-socket-mode";
    static final String CONTROL_SOCKET_GROUP = "--control-socket-group";
    static final String SOCKET_MODE = "--socket-mode";
    static final String SOCKET_GROUP = "--socket-group";
    static final String ALLOW_UID = "--allow-uid";
    static final String ALLOW_GID = "--allow-gid";
    static final String READY_FD = "--ready-fd";
    static final String EXIT_WITH_FD = "--exit-with-fd";
    static final String LOG_LEVEL = "--log-level";
    static final String CONFIG = "--config";
    static final String CHECK_CONFIG = "--check-config";
    static final String COUNTERS_FILE = "--counters-file";
    static final String HELP = "--help";
    static final String VERSION = "--version";

    /** vhost-user, "Backend program conventions": the option disables all other options. */
    static final String PRINT_CAPABILITIES = "--print-capabilities";

    static final String DEFAULT_SOURCE = "getrandom";
    static final int DEFAULT_SPIN_MICROS = 50;

    private DaemonOptions() {}

    static Options all() {
        return new Options()
                .addOption(valued(
                        SOCKET_PATH,
                        "PATH",
                        "UNIX socket to listen on. Serves one guest at a time, one after the other. A VMM that connects"
                                + " meanwhile is refused, unless the connected VMM has not sent its first message"
                                + " within 3 s."))
                .addOption(valued(
                        SOCKET_COUNT,
                        "N",
                        "Listen on PATH0 to PATHN-1 instead of PATH, for one guest each; "
                                + DaemonOptionRange.SOCKET_COUNT + "."))
                .addOption(valued(
                        SOCKET_MODE,
                        "MODE",
                        "Octal permissions of the socket file, such as 0660, set before it appears at its path. Write"
                                + " permission allows a process to connect. Default: 0660 with " + SOCKET_GROUP
                                + ", else by the umask."))
                .addOption(valued(SOCKET_GROUP, "GROUP", "Group of the socket file. Default: that of a new file."))
                .addOption(valued(
                        ALLOW_UID,
                        "LIST",
                        "Users, by name or number and separated by commas, whose processes may connect. Others are"
                                + " disconnected at once. Default: all that may open the socket file."))
                .addOption(valued(ALLOW_GID, "LIST", "The same for groups: the effective group of a process counts."))
                .addOption(valued(
                        VFIO_USER,
                        "PATH",
                        "UNIX socket to listen on for VMMs that use vfio-user instead of vhost-user, such as QEMU 10.1."
                                + " Can be combined with " + SOCKET_PATH + ". Repeatable, for one guest each."
                                + " A session ends with the daemon."))
                .addOption(valued(
                        CONNECT,
                        "PATH",
                        "Connect to a VMM that listens on this UNIX socket (server=on); reconnects whenever the"
                                + " connection is lost."))
                .addOption(valued(
                        FD,
                        "N",
                        "Serve on this inherited socket, which is listening or connected. Repeatable, for one guest"
                                + " each."))
                .addOption(valued(
                        SOURCE,
                        "SOURCE",
                        "Entropy source, see below. Repeatable: later sources are fallbacks, tried in order. Default: "
                                + DEFAULT_SOURCE + "."))
                .addOption(valued(
                        MAX_BYTES,
                        "BYTES",
                        "Maximum number of bytes per guest and period; " + DaemonOptionRange.MAX_BYTES
                                + ". Default: no limit."))
                .addOption(valued(
                        PERIOD,
                        "MS",
                        "Length of the period in milliseconds; " + DaemonOptionRange.PERIOD_MILLIS + ". Default: "
                                + GuestRateLimiter.MAX_PERIOD_MILLIS + "."))
                .addOption(valued(
                        LIMIT_MODE,
                        "MODE",
                        "smooth: at most BYTES plus one slice (BYTES/64) in any interval of one period."
                                + " window: BYTES per fixed period, as in QEMU. Default: smooth."))
                .addOption(valued(
                        BURST,
                        "BYTES",
                        "One-time allowance per guest beyond its limit; " + DaemonOptionRange.BURST_BYTES
                                + ". Default: 0."))
                .addOption(valued(
                        OPS,
                        "N",
                        "Maximum number of requests per guest and period; " + DaemonOptionRange.OPS
                                + ". Default: no limit."))
                .addOption(valued(
                        TOTAL_MAX_BYTES,
                        "BYTES",
                        "Maximum number of bytes of all guests together per total period; "
                                + DaemonOptionRange.MAX_BYTES + ". Default: no limit."))
                .addOption(valued(
                        TOTAL_PERIOD,
                        "MS",
                        "Length of the total period in milliseconds; " + DaemonOptionRange.PERIOD_MILLIS + ". Default: "
                                + GuestRateLimiter.MAX_PERIOD_MILLIS + "."))
                .addOption(valued(
                        GUEST,
                        "NAME[,KEY=N...]",
                        "Settings of the guest on the socket with this file name, repeatable. Own limits: max-bytes,"
                                + " period, ops, burst, limit-mode. Share of a total or of a source that is too slow"
                                + " for all guests: weight (" + DaemonOptionRange.WEIGHT
                                + ", default 1). Bytes reserved per total period: min-bytes. Write a comma in NAME"
                                + " twice."))
                .addOption(flag(
                        MEM_SLOTS,
                        "Let the VMM add and remove single memory regions, up to 509. Incompatible with QEMU 7.2 and "
                                + CONNECT + "."))
                .addOption(valued(
                        MAX_GUEST_MEMORY,
                        "GIB",
                        "Maximum memory of each guest in GiB, because all guests share one address space; "
                                + DaemonOptionRange.MAX_GUEST_MEMORY_BYTES
                                + ". Default: 65536 (64 TiB) divided by the number of sockets, at least 4096 (4 TiB)."))
                .addOption(flag(
                        REQUIRE_SEALED_MEMORY, "Refuse guest memory that the VMM could truncate while it is in use."))
                .addOption(valued(
                        ALLOW_MEMORY_ON,
                        "TYPE",
                        "Accept guest memory in files of this type of file system (overlay, nfs, fuse, ..., or any)"
                                + " besides memfds, tmpfs, hugetlbfs and local disks. Risk: the provider of such a"
                                + " file system can stop all guests. Repeatable."))
                .addOption(flag(PACKED, "Offer packed virtqueues in addition to split ones."))
                .addOption(flag(IN_ORDER, "Offer VIRTIO_F_IN_ORDER, which some drivers handle faster."))
                .addOption(flag(
                        ACCESS_PLATFORM,
                        "Offer VIRTIO_F_ACCESS_PLATFORM, for a device behind a guest IOMMU (QEMU: iommu_platform=on)."))
                .addOption(valued(
                        SPIN,
                        "US",
                        "When requests arrive less than US microseconds apart, poll for that long before sleeping;"
                                + " " + DaemonOptionRange.SPIN_MICROS + ". Default: " + DEFAULT_SPIN_MICROS + "."))
                .addOption(valued(
                        CONTROL_SOCKET,
                        "PATH",
                        "UNIX socket for the command ctl, which shows and changes guests, limits and sources while the"
                                + " daemon runs. Permission to connect is permission to read; only root and the user"
                                + " of the daemon may make changes."))
                .addOption(valued(
                        CONTROL_SOCKET_MODE,
                        "MODE",
                        "Octal permissions of the control socket's file. Default: 0660 with " + CONTROL_SOCKET_GROUP
                                + ", else 0600."))
                .addOption(valued(
                        CONTROL_SOCKET_GROUP,
                        "GROUP",
                        "Group of the control socket's file, whose members may read. Default: that of a new file."))
                .addOption(valued(
                        COUNTERS_FILE,
                        "PATH",
                        "Count requests, bytes, waiting times, latencies and faults per guest in this file, which top"
                                + " and metrics read and the next daemon continues. Should be in tmpfs, such as /run."))
                .addOption(valued(
                        READY_FD,
                        "N",
                        "When all sockets are listening, write a newline to this inherited descriptor and close it."))
                .addOption(valued(
                        EXIT_WITH_FD,
                        "N",
                        "Exit with status 0 when all other processes have closed the other end of this inherited pipe"
                                + " or socket."))
                .addOption(valued(
                        LOG_LEVEL, "LEVEL", "Lowest level that is logged: debug, info, warn or error. Default: info."))
                .addOption(valued(
                        CONFIG,
                        "FILE",
                        "Also read options from this TOML file (name = value, without dashes), guests from its sections"
                                + " [guest.NAME], and the files *.conf of conf.d beside it. A value of the command line"
                                + " replaces that of a file."))
                .addOption(flag(CHECK_CONFIG, "Check all options and files, print the effective settings, and exit."))
                .addOption(flag(PRINT_CAPABILITIES, "Print the back-end's capabilities as JSON and exit."))
                .addOption(flag(HELP, 'h', "Print this help and exit."))
                .addOption(flag(VERSION, 'V', "Print the version and exit."));
    }

    /** Returns an option with a value. */
    static Option valued(String name, String argument, String description) {
        return option(name, description).hasArg().argName(argument).get();
    }

    /** Returns an option without a value. */
    static Option flag(String name, String description) {
        return option(name, description).get();
    }

    /** Returns an option without a value that also has a short name, such as {@code -h}. */
    static Option flag(String name, char shortName, String description) {
        return option(name, description).option(String.valueOf(shortName)).get();
    }

    private static Option.Builder option(String name, String description) {
        return Option.builder().longOpt(name.substring("--".length())).desc(description);
    }
}
