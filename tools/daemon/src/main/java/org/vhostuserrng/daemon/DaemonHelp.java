package org.vhostuserrng.daemon;

import java.util.ArrayList;
import java.util.List;
import org.apache.commons.cli.Option;

/** The {@code --help} text: usage, options, sources, an example and the other commands. */
final class DaemonHelp {
    private static final int WIDTH = 80;
    private static final int DESCRIPTION_COLUMN = 27;

    private static final String USAGE = """
            Usage: vhost-user-rng --socket-path=PATH [--socket-count=N] [OPTION...]
                   vhost-user-rng --vfio-user=PATH [OPTION...]
                   vhost-user-rng --connect=PATH [OPTION...]
                   vhost-user-rng --fd=N [--fd=N...] [OPTION...]
                   vhost-user-rng --config=FILE [OPTION...]
                   vhost-user-rng COMMAND [ARGUMENT...]

            A vhost-user back-end and vfio-user server for virtio-rng devices: serves random
            bytes to virtual machines.

            A number of bytes may end in k, M or G (powers of 1024), a time in us, ms, s or
            min.

            Options:
            """;

    private static final String SOURCES_AND_EXAMPLE = """

            Sources:
              getrandom              the kernel's random number generator; via=vdso or via=syscall forces one method
              file:PATH              a file, FIFO or device such as /dev/hwrng; each byte of a file is used once;
                                     a terminal such as /dev/ttyACM0 is read in raw mode, baud=N sets its rate
              rdrand                 the CPU's generator; rdrand,reseed=forced uses a fresh seed for every 128 bits
              rdseed                 the CPU's entropy source
              egd:tcp:HOST:PORT      an EGD server, read ahead; reconnects whenever the connection is lost
              egd:unix:PATH          the same on a UNIX socket
              qng[:LIBRARY]          a ComScire quantum generator, through libqwqngx.so or LIBRARY
              command:PROGRAM ARGUMENTS
                                     the output of a program, with the quoting of a shell, as in
                                     command:sh -c "cat /dev/urandom"; started again when it ends
              drbg, drbg(A+B)        one CTR_DRBG per guest, seeded from all listed sources (default rdseed+getrandom);
                                     reseeded after reseed-bytes=N (default 64 MiB) or reseed-seconds=N (default 300),
                                     or for each request with prediction-resistance; seed-from=any omits
                                     sources that fail or are silent
              xor(A,B)               the XOR of two sources
            Options follow the source, separated by commas: min-entropy=BITS declares the min-entropy per byte (0.02
            to 8) for the health tests; health=off skips the tests, for sources that are already conditioned. Write a
            comma in a path or command twice.

            Example, to which you add the disk or kernel of the guest:
              vhost-user-rng --socket-path=/run/rng.sock --max-bytes=1024 --period=1000
              qemu-system-x86_64 -machine q35,memory-backend=m -m 256 \\
                -object memory-backend-memfd,id=m,size=256M,share=on \\
                -chardev socket,id=c,path=/run/rng.sock \\
                -device vhost-user-rng-pci,chardev=c,vectors=2
            The guest's memory must be shared (share=on), and size= must equal -m.

            """;

    private static final String HOLD_USAGE = """
            Usage: vhost-user-rng hold [OPTION...] -- COMMAND [ARGUMENT...]

            A service manager for one service, on hosts and in containers without systemd.
            Starts COMMAND, keeps the descriptors that it stores by the protocol of
            systemd's file descriptor store (NOTIFY_SOCKET), starts it again whenever it
            ends, and passes the descriptors to it (LISTEN_FDS). As a result, the sessions
            of its guests survive a restart.

            Options:
            """;

    private static final String HOLD_EXAMPLE = """

            Signals: SIGTERM and SIGINT are passed on, and end hold with the status of
            COMMAND; SIGHUP, SIGUSR1 and SIGUSR2 are passed on. If hold itself is killed,
            COMMAND keeps running, and its stored descriptors are lost.

            Status: that of COMMAND when it is stopped, when it exits with status 0 and
            nothing is stored, and when its first start fails (2, 126 or 127).

            Example:
              vhost-user-rng hold --watchdog=10 -- vhost-user-rng --socket-path=/run/rng.sock
            """;

    private static final String CTL_USAGE = """
            Usage: vhost-user-rng ctl [OPTION...] COMMAND [ARGUMENT...]

            Shows and changes guests, limits and sources of a running daemon, which must
            have been started with --control-socket=PATH.

            Options:
            """;

    private static final String CTL_EXAMPLE = """

            Example:
              vhost-user-rng ctl --control-socket=/run/rng.ctl set rng.sock max-bytes=4096
            """;

    private DaemonHelp() {}

    static String text() {
        StringBuilder out = new StringBuilder(USAGE);
        for (Option option : DaemonOptions.all().getOptions()) {
            appendOption(out, option);
        }
        return out.append(SOURCES_AND_EXAMPLE)
                .append("Commands, each with --help:\n  ")
                .append(String.join(", ", DaemonArguments.COMMANDS))
                .append('\n')
                .toString();
    }

    /** Returns the {@code --help} text of the command {@code hold}. */
    static String ofHold() {
        StringBuilder out = new StringBuilder(HOLD_USAGE);
        for (Option option : HoldOptions.all().getOptions()) {
            appendOption(out, option);
        }
        return out.append(HOLD_EXAMPLE).toString();
    }

    /** Returns the {@code --help} text of the command {@code ctl}. */
    static String ofCtl() {
        StringBuilder out = new StringBuilder(CTL_USAGE);
        for (Option option : CtlOptions.all().getOptions()) {
            appendOption(out, option);
        }
        out.append("\nCommands:\n");
        CtlOptions.commands().forEach((command, description) -> appendRow(out, "  " + command, description));
        return out.append(CTL_EXAMPLE).toString();
    }

    /** Appends one row of the table of options: {@code --name=ARGUMENT  description}. */
    private static void appendOption(StringBuilder out, Option option) {
        String shortName = option.getOpt() == null ? "" : "-" + option.getOpt() + ", ";
        appendRow(out, "  " + shortName + DaemonArguments.syntax(option), option.getDescription());
    }

    private static void appendRow(StringBuilder out, String first, String description) {
        String left = first;
        if (left.length() > DESCRIPTION_COLUMN - 2) {
            out.append(left).append('\n');
            left = "";
        }
        for (String line : wrap(description, WIDTH - DESCRIPTION_COLUMN)) {
            out.append(left)
                    .repeat(" ", DESCRIPTION_COLUMN - left.length())
                    .append(line)
                    .append('\n');
            left = "";
        }
    }

    private static List<String> wrap(String text, int width) {
        List<String> lines = new ArrayList<>();
        StringBuilder line = new StringBuilder();
        for (String word : text.split(" ", -1)) {
            if (!line.isEmpty() && line.length() + 1 + word.length() > width) {
                lines.add(line.toString());
                line.setLength(0);
            }
            line.append(line.isEmpty() ? "" : " ").append(word);
        }
        lines.add(line.toString());
        return lines;
    }
}
