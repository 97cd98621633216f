package org.vhostuserrng.transport.sys;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Queue;
import org.junit.jupiter.api.Test;
import org.vhostuserrng.libc.ErrnoException;
import org.vhostuserrng.libc.OwnedFd;

class OwnedFdTest {
    private final Queue<Runnable> threads = new ArrayDeque<>();
    private final PeerFileExecutor closer = new PeerFileExecutor(threads::add);

    private static int open() throws ErrnoException {
        return SealedMemfd.create("test", 4096).number();
    }

    private static boolean isOpen(int number) {
        return Files.exists(Path.of("/proc/self/fd/" + number), LinkOption.NOFOLLOW_LINKS);
    }

    @Test
    void closesItsOwnDescriptorAtOnce() throws ErrnoException {
        int number = open();

        new OwnedFd(number).close();

        assertFalse(isOpen(number));
    }

    @Test
    void closesADescriptorOfAPeerInTheCloser() throws ErrnoException {
        int number = open();

        new OwnedFd(number, closer).close();
        boolean before = isOpen(number);
        threads.remove().run();

        assertTrue(before);
        assertFalse(isOpen(number));
    }

    @Test
    void closesADescriptorOfAPeerNowIfAsked() throws ErrnoException {
        int number = open();

        new OwnedFd(number, closer).closeNow();

        assertFalse(isOpen(number));
        assertTrue(threads.isEmpty());
    }

    @Test
    void closesOnce() throws ErrnoException {
        OwnedFd fd = new OwnedFd(open(), closer);

        fd.close();
        fd.close();
        fd.closeNow();
        threads.remove().run();

        assertTrue(threads.isEmpty());
        assertThrows(IllegalStateException.class, fd::number);
    }

    @Test
    void closesAReceivedDescriptorInTheSameCloser() throws ErrnoException {
        int number = open();

        new OwnedFd(0, closer).received(number).close();

        assertTrue(isOpen(number));
        assertEquals(1, threads.size());
        threads.remove().run();
    }
}
