package org.vhostuserrng.transport.sys;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.vhostuserrng.libc.ErrnoException;
import org.vhostuserrng.libc.OwnedFd;

class FdQueueSocketTest {
    private FdQueueSocket queue;

    @BeforeEach
    void create() throws ErrnoException {
        queue = FdQueueSocket.create(new PeerFileExecutor(Runnable::run));
    }

    @AfterEach
    void close() {
        queue.close();
    }

    private void add(long id, String content) throws IOException {
        try (OwnedFd file = SealedMemfd.create(content, 1)) {
            queue.add(id, file);
        }
    }

    /** Returns the names of the queued memfds by ID. */
    private Map<Long, String> contents() throws IOException {
        Map<Long, String> names = new TreeMap<>();
        for (Map.Entry<Long, OwnedFd> entry : queue.duplicates().entrySet()) {
            try (OwnedFd fd = entry.getValue()) {
                String target = Files.readSymbolicLink(Path.of("/proc/self/fd/" + fd.number()))
                        .toString();
                names.put(entry.getKey(), target.replaceAll("/memfd:(\\w+).*", "$1"));
            }
        }
        return names;
    }

    @Test
    void closesItsSocketInTheExecutor() throws ErrnoException {
        Queue<Runnable> threads = new ArrayDeque<>();
        FdQueueSocket closed = FdQueueSocket.create(new PeerFileExecutor(threads::add));
        Path file = Path.of("/proc/self/fd/" + closed.fd().number());

        closed.close();

        assertTrue(Files.isSymbolicLink(file));
        threads.remove().run();
    }

    @Test
    void keepsDescriptorsThatTheirOwnerHasClosed() throws IOException {
        add(1, "one");
        add(2, "two");

        assertEquals(Map.of(1L, "one", 2L, "two"), contents());
    }

    @Test
    void duplicatesCanBeTakenAgain() throws IOException {
        add(1, "one");
        contents();

        assertEquals(Map.of(1L, "one"), contents());
    }

    @Test
    void laterDescriptorOfAnIdReplacesTheEarlierOne() throws IOException {
        add(1, "earlier");
        add(1, "later");

        assertEquals(Map.of(1L, "later"), contents());
    }

    @Test
    void compactingKeepsExactlyTheDescriptorsInUse() throws IOException {
        for (int id = 1; id <= 6; id++) {
            add(id, "file" + id);
        }

        queue.compact(Set.of(2L, 5L)::contains);

        assertEquals(Map.of(2L, "file2", 5L, "file5"), contents());
        assertEquals(2, queue.size());
    }

    @Test
    void compactedQueueAcceptsDescriptorsForEver() throws IOException {
        for (int id = 1; id <= 2000; id++) {
            long last = id;
            add(id, "file" + id);
            queue.compact(kept -> kept == last);
        }

        assertEquals(Map.of(2000L, "file2000"), contents());
    }

    @Test
    void fullQueueRefusesADescriptorAndKeepsTheOthers() throws IOException {
        int added = 0;
        ErrnoException refused = null;
        while (refused == null) {
            try {
                add(added + 1L, "file");
                added++;
            } catch (ErrnoException full) {
                refused = full;
            }
        }

        assertTrue(refused.getMessage().startsWith("sendmsg"), refused::getMessage);
        assertEquals(added, contents().size());
    }

    @Test
    void holdsTheDescriptorsOfAllMemorySlots() throws IOException {
        int descriptors = 509 + 24;
        for (int id = 1; id <= descriptors; id++) {
            add(id, "file");
        }

        assertEquals(descriptors, contents().size());
    }

    @Test
    void fullQueueCanBeCompacted() throws IOException {
        int added = 0;
        try {
            while (true) {
                add(added + 1L, "file" + added);
                added++;
            }
        } catch (ErrnoException full) {
            assertTrue(added > 0, full::getMessage);
        }
        long last = added;

        queue.compact(id -> id != last);

        assertEquals(added - 1, queue.size());
    }

    @Test
    void closedQueueAcceptsNothing() throws IOException {
        FdQueueSocket closed = FdQueueSocket.create(new PeerFileExecutor(Runnable::run));
        closed.close();

        try (OwnedFd file = SealedMemfd.create("file", 1)) {
            assertThrows(IllegalStateException.class, () -> closed.add(1, file));
        }
    }
}
