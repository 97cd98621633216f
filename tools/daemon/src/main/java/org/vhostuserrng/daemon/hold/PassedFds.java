package org.vhostuserrng.daemon.hold;

import java.util.ArrayList;
import java.util.List;

/**
 * The numbers of the descriptors in a new service process: 0 to 2 are those of this process, and the passed descriptors
 * begin at 3 (sd_listen_fds(3)). A passed descriptor whose number in this process is within that range keeps its
 * number; the others get the free numbers. Otherwise dup2 could replace a descriptor before it is copied.
 *
 * @param numbers for each descriptor number of the new process, the number of the descriptor in this process
 * @param names the names of the descriptors from number 3 on
 */
record PassedFds(List<Integer> numbers, List<String> names) {
    /** SD_LISTEN_FDS_START. */
    static final int FIRST = 3;

    /** Linux MAX_ARG_STRLEN: maximum length of an environment variable in bytes, with the terminating zero. */
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
     * Returns the value of LISTEN_FDNAMES, in which {@code :} separates the names. A name that does not fit is left
     * empty: execve would fail with a longer variable.
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

    /** Returns the number of names that do not fit in {@link #listenFdNames}. */
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
