package org.vhostuserrng.daemon.hold;

import java.util.ArrayList;
import java.util.List;

/**
 * The descriptors of a new service process: 0 to 2 are those of this process, and those that are passed begin at 3
 * (sd_listen_fds(3)). A descriptor whose number is among these keeps it, and the others take the numbers that are left.
 * So none is replaced before it is used.
 *
 * @param numbers the descriptor of this process for each number of the new one
 * @param names of the descriptors from 3 on
 */
record PassedFds(List<Integer> numbers, List<String> names) {
    /** SD_LISTEN_FDS_START. */
    static final int FIRST = 3;

    /** Linux: MAX_ARG_STRLEN, the most bytes of one variable of the environment with its terminating zero. */
    private static final int MAX_VARIABLE_BYTES = 1 << 17;

    private static final String LISTEN_FDNAMES = "LISTEN_FDNAMES=";

    static PassedFds of(List<NamedFd> passed) {
        int end = FIRST + passed.size();
        NamedFd[] inOrder = new NamedFd[end];
        List<NamedFd> others = new ArrayList<>();
        for (NamedFd next : passed) {
            int number = next.fd().number();
            if (number < end) {
                inOrder[number] = next;
            } else {
                others.add(next);
            }
        }
        List<Integer> numbers = new ArrayList<>(end);
        List<String> names = new ArrayList<>(passed.size());
        int taken = 0;
        for (int i = 0; i < end; i++) {
            if (i < FIRST) {
                numbers.add(i);
            } else {
                NamedFd next = inOrder[i] != null ? inOrder[i] : others.get(taken++);
                numbers.add(next.fd().number());
                names.add(next.name());
            }
        }
        return new PassedFds(numbers, names);
    }

    /**
     * The value of LISTEN_FDNAMES, in which {@code :} separates the names. A name for which there is no room is empty,
     * because the service could not be started with a longer variable.
     */
    String listenFdNames() {
        int room = MAX_VARIABLE_BYTES - 1 - LISTEN_FDNAMES.length() - (names.size() - 1);
        StringBuilder value = new StringBuilder();
        for (int i = 0; i < names.size(); i++) {
            value.append(i == 0 ? "" : ":");
            String name = names.get(i);
            if (name.length() <= room) {
                value.append(name);
                room -= name.length();
            }
        }
        return value.toString();
    }

    /** The number of names for which {@link #listenFdNames} has no room. */
    int omittedNames() {
        int present = 0;
        for (String name : listenFdNames().split(":", -1)) {
            present += name.isEmpty() ? 0 : 1;
        }
        int all = 0;
        for (String name : names) {
            all += name.isEmpty() ? 0 : 1;
        }
        return all - present;
    }
}
