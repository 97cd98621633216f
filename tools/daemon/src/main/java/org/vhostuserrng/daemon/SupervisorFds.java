package org.vhostuserrng.daemon;

import java.util.OptionalInt;

/**
 * Inherited descriptors of the process that started the daemon.
 *
 * @param ready gets a newline when all sockets listen
 * @param exitWith the daemon ends when others have closed its other end
 */
record SupervisorFds(OptionalInt ready, OptionalInt exitWith) {
    /** Reads the options. Does not look at the descriptors. */
    static SupervisorFds of(DaemonArguments arguments) throws BadUsageException {
        OptionValue ready = arguments.value(DaemonOptions.READY_FD);
        OptionValue exitWith = arguments.value(DaemonOptions.EXIT_WITH_FD);
        SupervisorFds fds = new SupervisorFds(number(ready), number(exitWith));
        for (OptionValue served : arguments.values(DaemonOptions.FD)) {
            OptionalInt number = number(served);
            requireOther(ready, fds.ready, number);
            requireOther(exitWith, fds.exitWith, number);
        }
        requireOther(exitWith, fds.exitWith, fds.ready);
        return fds;
    }

    private static void requireOther(OptionValue option, OptionalInt number, OptionalInt other)
            throws BadUsageException {
        if (number.isPresent() && number.equals(other)) {
            throw option.refused("another option names this descriptor; expected each once");
        }
    }

    private static OptionalInt number(OptionValue option) throws BadUsageException {
        return option == null ? OptionalInt.empty() : OptionalInt.of((int) option.number(DaemonOptionRange.FD));
    }
}
