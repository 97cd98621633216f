package org.vhostuserrng.daemon.hold;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.vhostuserrng.daemon.hold.FdStore.Outcome;
import org.vhostuserrng.daemon.hold.sys.OpenFileSet;
import org.vhostuserrng.libc.ErrnoException;
import org.vhostuserrng.libc.Libc;
import org.vhostuserrng.libc.OwnedFd;
import org.vhostuserrng.libc.PipePair;

class FdStoreTest {
    private static final int MAX_FDS = 3;

    private PipePair probe;
    private FdStore store;

    @BeforeEach
    void createStore() throws ErrnoException {
        probe = PipePair.open(0);
        store = new FdStore(MAX_FDS, OpenFileSet.create(probe.readEnd()));
    }

    @AfterEach
    void close() {
        store.all().forEach(stored -> stored.fd().close());
        probe.close();
    }

    private static OwnedFd anyFile() throws ErrnoException {
        try (PipePair pipe = PipePair.open(0)) {
            return pipe.takeReadEnd();
        }
    }

    private List<String> names() {
        return store.all().stream().map(NamedFd::name).toList();
    }

    @Test
    void keepsDifferentFilesOfOneName() throws ErrnoException {
        store.add("a", anyFile(), true);
        store.add("a", anyFile(), true);

        assertEquals(List.of("a", "a"), names());
    }

    @Test
    void keepsTheFirstNameOfAFile() throws ErrnoException {
        OwnedFd file = anyFile();
        store.add("a", file, true);

        assertEquals(Outcome.DUPLICATE, store.add("b", new OwnedFd(duplicate(file)), true));

        assertEquals(List.of("a"), names());
    }

    private static int duplicate(OwnedFd fd) throws ErrnoException {
        return ErrnoException.check("dup", Libc.callInt(Libc.symbol("dup"), fd.number(), 0, 0, 0, 0));
    }

    @Test
    void aRemovedFileMayBeStoredAgain() throws ErrnoException {
        OwnedFd file = anyFile();
        OwnedFd again = new OwnedFd(duplicate(file));
        store.add("a", file, true);
        store.remove("a");

        assertEquals(Outcome.STORED, store.add("b", again, true));
    }

    @Test
    void refusesAndClosesTheNewestWhenItIsFull() throws ErrnoException {
        for (int i = 0; i < MAX_FDS; i++) {
            store.add("a", anyFile(), true);
        }
        OwnedFd newest = anyFile();

        assertEquals(Outcome.FULL, store.add("b", newest, true));

        assertThrows(IllegalStateException.class, newest::number);
        assertEquals(List.of("a", "a", "a"), names());
    }

    @Test
    void removesAllFilesOfAName() throws ErrnoException {
        store.add("a", anyFile(), true);
        store.add("b", anyFile(), true);
        store.add("a", anyFile(), true);

        store.remove("a");

        assertEquals(List.of("b"), names());
        assertEquals(1, store.size());
    }

    @Test
    void removesNothingOfAnUnknownName() throws ErrnoException {
        store.add("a", anyFile(), true);

        store.remove("b");

        assertEquals(List.of("a"), names());
    }

    @Test
    void removesOnlyPolledFilesByCondition() throws ErrnoException {
        store.add("polled", anyFile(), true);
        store.add("kept", anyFile(), false);

        assertEquals(1, store.removeIf(fd -> true));

        assertEquals(List.of("kept"), names());
    }
}
