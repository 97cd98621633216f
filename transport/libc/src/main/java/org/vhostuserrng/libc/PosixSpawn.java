package org.vhostuserrng.libc;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/** Starts programs with posix_spawnp(3), which does not copy the memory or page tables of this process. */
public final class PosixSpawn {
    private static final MemorySegment SPAWN = Libc.symbol("posix_spawnp");
    private static final MemorySegment ATTR_INIT = Libc.symbol("posix_spawnattr_init");
    private static final MemorySegment ATTR_DESTROY = Libc.symbol("posix_spawnattr_destroy");
    private static final MemorySegment SET_FLAGS = Libc.symbol("posix_spawnattr_setflags");
    private static final MemorySegment SET_PGROUP = Libc.symbol("posix_spawnattr_setpgroup");
    private static final MemorySegment SET_SIGMASK = Libc.symbol("posix_spawnattr_setsigmask");
    private static final MemorySegment SET_SIGDEFAULT = Libc.symbol("posix_spawnattr_setsigdefault");
    private static final MemorySegment ACTIONS_INIT = Libc.symbol("posix_spawn_file_actions_init");
    private static final MemorySegment ACTIONS_DESTROY = Libc.symbol("posix_spawn_file_actions_destroy");
    private static final MemorySegment ADD_DUP2 = Libc.symbol("posix_spawn_file_actions_adddup2");
    private static final MemorySegment ADD_CLOSEFROM = Libc.symbol("posix_spawn_file_actions_addclosefrom_np");
    private static final MemorySegment SIGADDSET = Libc.symbol("sigaddset");
    private static final int SETPGROUP = 0x02;
    private static final int SETSIGDEF = 0x04;
    private static final int SETSIGMASK = 0x08;

    private static final int SIGQUIT = 3;
    private static final int SIGPIPE = 13;
    // signal(7): libc uses the first two real-time signals itself.
    private static final int FIRST_REAL_TIME = 34;
    private static final int LAST_REAL_TIME = 64;
    // At least the sizes of posix_spawnattr_t, posix_spawn_file_actions_t and sigset_t in every libc.
    private static final int ATTR_BYTES = 512;
    private static final int ACTIONS_BYTES = 256;
    private static final int SIGSET_BYTES = 128;

    private PosixSpawn() {}

    /** The process group of a new process. */
    public enum ProcessGroup {
        /** The new process joins the process group of this process. */
        SAME,
        /** The new process leads a new process group. */
        NEW
    }

    /**
     * Starts a program that inherits only the given descriptors. The program starts with no signal blocked and with the
     * default action of SIGPIPE, SIGQUIT and the real-time signals, which {@link ServiceSignals} ignores: to end it.
     *
     * @param words the program, which is searched for in PATH unless it contains a slash, and its arguments, all
     *     decoded by {@link NativeText}
     * @param environment the variables of the program, in the form of {@link EnvironmentVariables#variables}
     * @param descriptors the descriptors of this process that become 0, 1, 2 and so on in the new process; each must
     *     either have the same number there, or a number that is not less than the length of this array
     * @return the process ID
     * @throws ErrnoException if the program cannot be started; the message names the program
     */
    public static int spawn(List<String> words, List<String> environment, ProcessGroup processGroup, int... descriptors)
            throws ErrnoException {
        for (int i = 0; i < descriptors.length; i++) {
            if (descriptors[i] != i && descriptors[i] < descriptors.length) {
                throw new IllegalArgumentException("descriptor " + descriptors[i] + " would be replaced before use");
            }
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment attributes = arena.allocate(ATTR_BYTES, Long.BYTES);
            MemorySegment actions = arena.allocate(ACTIONS_BYTES, Long.BYTES);
            MemorySegment signals = arena.allocate(SIGSET_BYTES, Long.BYTES);
            call(ATTR_INIT, attributes, 0, 0);
            call(ACTIONS_INIT, actions, 0, 0);
            int flags = SETSIGDEF | SETSIGMASK | (processGroup == ProcessGroup.NEW ? SETPGROUP : 0);
            call(SET_FLAGS, attributes, flags, 0);
            call(SET_PGROUP, attributes, 0, 0);
            call(SET_SIGMASK, attributes, signals.address(), 0);
            call(SIGADDSET, signals, SIGPIPE, 0);
            call(SIGADDSET, signals, SIGQUIT, 0);
            for (int signal = FIRST_REAL_TIME; signal <= LAST_REAL_TIME; signal++) {
                call(SIGADDSET, signals, signal, 0);
            }
            call(SET_SIGDEFAULT, attributes, signals.address(), 0);
            for (int i = 0; i < descriptors.length; i++) {
                // posix_spawn_file_actions_adddup2(3): if both numbers are equal, clears FD_CLOEXEC.
                call(ADD_DUP2, actions, descriptors[i], i);
            }
            call(ADD_CLOSEFROM, actions, descriptors.length, 0);
            try {
                return spawn(arena, words, environment, actions, attributes);
            } finally {
                call(ACTIONS_DESTROY, actions, 0, 0);
                call(ATTR_DESTROY, attributes, 0, 0);
            }
        }
    }

    private static int spawn(
            Arena arena, List<String> words, List<String> environment, MemorySegment actions, MemorySegment attributes)
            throws ErrnoException {
        MemorySegment arguments = stringArray(arena, words);
        MemorySegment pid = arena.allocate(ValueLayout.JAVA_INT);
        int error = (int) Libc.callLong(
                SPAWN,
                pid.address(),
                arguments.get(ValueLayout.JAVA_LONG, 0),
                actions.address(),
                attributes.address(),
                arguments.address(),
                stringArray(arena, environment).address());
        if (error != 0) {
            throw new ErrnoException(words.getFirst(), error);
        }
        return pid.get(ValueLayout.JAVA_INT, 0);
    }

    /** Allocates an array of pointers to C strings, with a null pointer at the end, like argv. */
    private static MemorySegment stringArray(Arena arena, List<String> strings) {
        MemorySegment pointers = arena.allocate(ValueLayout.JAVA_LONG, strings.size() + 1L);
        int index = 0;
        for (String string : strings) {
            pointers.setAtIndex(
                    ValueLayout.JAVA_LONG,
                    index,
                    NativeText.allocate(arena, string).address());
            index++;
        }
        return pointers;
    }

    private static void call(MemorySegment function, MemorySegment object, long first, long second) {
        int error = Libc.callInt(function, object.address(), first, second, 0, 0);
        assert error == 0 : error;
    }
}
