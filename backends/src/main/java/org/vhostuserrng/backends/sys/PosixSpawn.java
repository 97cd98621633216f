package org.vhostuserrng.backends.sys;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import org.vhostuserrng.libc.Libc;
import org.vhostuserrng.libc.NativeText;

/** posix_spawnp(3), which copies no memory of this process. */
@SuppressWarnings("restricted")
final class PosixSpawn {
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
    private static final MemorySegment ENVIRON = Libc.symbol("environ");
    /** POSIX_SPAWN_SETPGROUP, POSIX_SPAWN_SETSIGDEF and POSIX_SPAWN_SETSIGMASK. */
    private static final int FLAGS = 0x02 | 0x04 | 0x08;

    private static final int SIGQUIT = 3;
    private static final int SIGPIPE = 13;
    private static final int FIRST_OTHER_FD = 3;
    // At least the size of posix_spawnattr_t, posix_spawn_file_actions_t and sigset_t.
    private static final int ATTR_BYTES = 512;
    private static final int ACTIONS_BYTES = 256;
    private static final int SIGSET_BYTES = 128;

    private PosixSpawn() {}

    /**
     * Starts a program that leads a process group of its own and inherits no descriptors but these three. No signal is
     * blocked in it, and SIGPIPE and SIGQUIT end it.
     *
     * @param words any bytes, as {@link NativeText} decodes them
     * @return the number of the process
     * @throws IOException with the text of the errno
     */
    static int spawn(List<String> words, int stdin, int stdout, int stderr) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment attributes = arena.allocate(ATTR_BYTES, Long.BYTES);
            MemorySegment actions = arena.allocate(ACTIONS_BYTES, Long.BYTES);
            MemorySegment signals = arena.allocate(SIGSET_BYTES, Long.BYTES);
            call(ATTR_INIT, attributes, 0, 0);
            call(ACTIONS_INIT, actions, 0, 0);
            call(SET_FLAGS, attributes, FLAGS, 0);
            call(SET_PGROUP, attributes, 0, 0);
            call(SET_SIGMASK, attributes, signals.address(), 0);
            call(SIGADDSET, signals, SIGPIPE, 0);
            call(SIGADDSET, signals, SIGQUIT, 0);
            call(SET_SIGDEFAULT, attributes, signals.address(), 0);
            call(ADD_DUP2, actions, stdin, 0);
            call(ADD_DUP2, actions, stdout, 1);
            call(ADD_DUP2, actions, stderr, 2);
            call(ADD_CLOSEFROM, actions, FIRST_OTHER_FD, 0);
            try {
                return spawn(arena, words, actions, attributes);
            } finally {
                call(ACTIONS_DESTROY, actions, 0, 0);
                call(ATTR_DESTROY, attributes, 0, 0);
            }
        }
    }

    private static int spawn(Arena arena, List<String> words, MemorySegment actions, MemorySegment attributes)
            throws IOException {
        MemorySegment arguments = arena.allocate(ValueLayout.JAVA_LONG, words.size() + 1L);
        for (int i = 0; i < words.size(); i++) {
            arguments.setAtIndex(
                    ValueLayout.JAVA_LONG,
                    i,
                    NativeText.allocate(arena, words.get(i)).address());
        }
        MemorySegment pid = arena.allocate(ValueLayout.JAVA_INT);
        long environment = ENVIRON.reinterpret(Long.BYTES).get(ValueLayout.JAVA_LONG, 0);
        int error = (int) Libc.callLong(
                SPAWN,
                pid.address(),
                arguments.get(ValueLayout.JAVA_LONG, 0),
                actions.address(),
                attributes.address(),
                arguments.address(),
                environment);
        if (error != 0) {
            throw new IOException(words.getFirst() + ": " + EntropyFile.describe(-error));
        }
        return pid.get(ValueLayout.JAVA_INT, 0);
    }

    private static void call(MemorySegment function, MemorySegment object, long first, long second) {
        int error = Libc.callInt(function, object.address(), first, second, 0, 0);
        assert error == 0 : error;
    }
}
