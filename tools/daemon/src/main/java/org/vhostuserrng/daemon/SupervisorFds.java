package org.vhostuserrng.daemon;

import java.util.OptionalInt;

/**
 * Descriptors that the daemon inherited from the process that started it.
 *
 * @param ready the daemon writes a newline to this descriptor when all sockets listen
 * @param exitWith a pipe or socket: the daemon ends when all other processes have closed the other end
 */
record SupervisorFds(OptionalInt ready, OptionalInt exitWith) {
    /** Parses the options. Does not check the descriptors. */
    static SupervisorFds of(DaemonArguments arguments) throws BadUsageException {
        OptionValue ready = arguments.value(DaemonOptions.READY_FD);
        OptionValue exitWith = arguments.value(DaemonOptions.EXIT_WITH_FD);
        SupervisorFds fds = new SupervisorFds(number(ready), number(exitWith));
        requireNotPassed(ready, fds.ready);
        requireNotPassed(exitWith, fds.exitWith);
        for (OptionValue served : arguments.values(DaemonOptions.FD)) {
            OptionalInt number = number(served);
            requireOther(ready, fds.ready, number);
            requireOther(exitWith, fds.exitWith, number);
        }
        requireOther(exitWith, fds.exitWith, fds.ready);
        return fds;
    }

    private static void requireNotPassed(OptionValue option, OptionalInt number) throws BadUsageException {
        if (number.isPresent()) {
            SocketOptionParser.requireNotPassed(option, number.getAsInt());
        }
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
