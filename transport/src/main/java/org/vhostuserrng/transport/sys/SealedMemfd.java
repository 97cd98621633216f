package org.vhostuserrng.transport.sys;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.vhostuserrng.libc.ErrnoException;
import org.vhostuserrng.libc.Libc;
import org.vhostuserrng.libc.OwnedFd;

/** Creates memfds for memory that is shared with a peer. */
public final class SealedMemfd {
    private static final MemorySegment MEMFD_CREATE = Libc.symbol("memfd_create");
    private static final MemorySegment FTRUNCATE = Libc.symbol("ftruncate");
    private static final MemorySegment FCNTL = Libc.symbol("fcntl");
    private static final int MFD_CLOEXEC = 1;
    private static final int MFD_ALLOW_SEALING = 2;
    private static final int F_ADD_SEALS = 1033;
    private static final int F_SEAL_SEAL = 1;
    private static final int F_SEAL_SHRINK = 2;
    private static final int F_SEAL_GROW = 4;

    private SealedMemfd() {}

    /** Creates a memfd of {@code size} zero bytes, sealed against growing and shrinking. */
    public static OwnedFd create(String name, long size) throws ErrnoException {
        OwnedFd file = memfd(name);
        try {
            ErrnoException.check("ftruncate", Libc.callInt(FTRUNCATE, file.number(), size, 0, 0, 0));
            int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
            ErrnoException.check("fcntl(F_ADD_SEALS)", Libc.callInt(FCNTL, file.number(), F_ADD_SEALS, seals, 0, 0));
            return file;
        } catch (ErrnoException refused) {
            file.close();
            throw refused;
        }
    }

    private static OwnedFd memfd(String name) throws ErrnoException {
        try (Arena arena = Arena.ofConfined()) {
            long text = arena.allocateFrom(name).address();
            int number = Libc.callInt(MEMFD_CREATE, text, MFD_CLOEXEC | MFD_ALLOW_SEALING, 0, 0, 0);
            return new OwnedFd(ErrnoException.check("memfd_create", number));
        }
    }
}
