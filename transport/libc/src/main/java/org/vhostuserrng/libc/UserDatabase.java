package org.vhostuserrng.libc;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.OptionalInt;

/** Looks up the IDs of users and groups by name with libc, which uses nsswitch.conf(5). Not thread-safe. */
@SuppressWarnings("restricted")
public final class UserDatabase {
    private static final MemorySegment GETPWNAM = Libc.symbol("getpwnam");
    private static final MemorySegment GETGRNAM = Libc.symbol("getgrnam");

    // struct passwd { char *pw_name; char *pw_passwd; uid_t pw_uid; … }; struct group has gr_gid at the same offset.
    private static final long ID = 16;

    private UserDatabase() {}

    /** Returns the ID of a user, unsigned; empty if no user has this name. */
    public static OptionalInt userId(String name) {
        return id(GETPWNAM, name);
    }

    /** Returns the ID of a group, unsigned; empty if no group has this name. */
    public static OptionalInt groupId(String name) {
        return id(GETGRNAM, name);
    }

    private static OptionalInt id(MemorySegment function, String name) {
        try (Arena arena = Arena.ofConfined()) {
            long entry = Libc.callRaw(function, NativeText.allocate(arena, name).address(), 0, 0, 0, 0);
            return entry == 0
                    ? OptionalInt.empty()
                    : OptionalInt.of(MemorySegment.ofAddress(entry)
                            .reinterpret(ID + Integer.BYTES)
                            .get(ValueLayout.JAVA_INT, ID));
        }
    }
}
