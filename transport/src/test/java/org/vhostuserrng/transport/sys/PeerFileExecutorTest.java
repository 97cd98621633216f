package org.vhostuserrng.transport.sys;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import org.junit.jupiter.api.Test;

class PeerFileExecutorTest {
    private final Queue<Runnable> threads = new ArrayDeque<>();
    private final PeerFileExecutor files = new PeerFileExecutor(threads::add);
    private final List<String> closed = new ArrayList<>();

    private void add(String what) {
        files.execute(() -> closed.add(what));
    }

    private void addMany(int count) {
        for (int i = 0; i < count; i++) {
            add("one of many");
        }
    }

    private void runThreads() {
        while (!threads.isEmpty()) {
            threads.remove().run();
        }
    }

    @Test
    void closesNothingOnTheAddingThread() {
        add("first");

        assertTrue(closed.isEmpty());
    }

    @Test
    void closesInOrder() {
        add("first");
        add("second");

        runThreads();

        assertEquals(List.of("first", "second"), closed);
    }

    @Test
    void closesADescriptorThatWasAddedWhileClosing() {
        files.execute(() -> add("second"));

        runThreads();

        assertEquals(List.of("second"), closed);
    }

    @Test
    void submitsOneActionAtATime() {
        addMany(2);

        threads.remove().run();

        assertEquals(1, closed.size());
        assertEquals(1, threads.size());
    }

    @Test
    void goesOnAfterAnActionThatThrows() {
        files.execute(() -> {
            throw new IllegalStateException("a bug");
        });
        add("second");

        assertThrows(IllegalStateException.class, () -> threads.remove().run());

        runThreads();
        assertEquals(List.of("second"), closed);
    }

    @Test
    void usesAtMostOneThread() {
        addMany(10);

        assertEquals(1, threads.size());
    }

    @Test
    void usesNoThreadOnceEverythingIsClosed() {
        add("first");
        threads.remove().run();

        add("second");

        assertEquals(1, threads.size());
    }

    @Test
    void isFullAtItsMaximum() {
        addMany(PeerFileExecutor.MAX_QUEUED - 1);
        boolean before = files.isFull();

        add("last");

        assertFalse(before);
        assertTrue(files.isFull());
    }

    @Test
    void countsTheDescriptorThatIsBeingClosed() {
        addMany(PeerFileExecutor.MAX_QUEUED - 1);
        boolean[] full = new boolean[1];
        PeerFileExecutor other = new PeerFileExecutor(threads::add);
        for (int i = 0; i < PeerFileExecutor.MAX_QUEUED; i++) {
            other.execute(() -> full[0] |= other.isFull());
        }

        runThreads();

        assertTrue(full[0]);
        assertFalse(other.isFull());
    }

    @Test
    void acceptsMoreThanItsMaximum() {
        addMany(10 * PeerFileExecutor.MAX_QUEUED);

        runThreads();

        assertEquals(10 * PeerFileExecutor.MAX_QUEUED, closed.size());
        assertFalse(files.isFull());
    }
}
