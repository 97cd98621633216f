package org.vhostuserrng.transport.sys;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import org.junit.jupiter.api.Test;

class DeferredCloserTest {
    private final Queue<Runnable> threads = new ArrayDeque<>();
    private final DeferredCloser closer = new DeferredCloser(threads::add);
    private final List<String> closed = new ArrayList<>();

    private void add(String what) {
        closer.execute(() -> closed.add(what));
    }

    private void addMany(int count) {
        for (int i = 0; i < count; i++) {
            add("one of many");
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

        threads.remove().run();

        assertEquals(List.of("first", "second"), closed);
    }

    @Test
    void closesADescriptorThatWasAddedWhileClosing() {
        closer.execute(() -> add("second"));

        threads.remove().run();

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
        addMany(DeferredCloser.MAX_QUEUED - 1);
        boolean before = closer.isFull();

        add("last");

        assertFalse(before);
        assertTrue(closer.isFull());
    }

    @Test
    void countsTheDescriptorThatIsBeingClosed() {
        addMany(DeferredCloser.MAX_QUEUED - 1);
        boolean[] full = new boolean[1];
        DeferredCloser other = new DeferredCloser(threads::add);
        for (int i = 0; i < DeferredCloser.MAX_QUEUED; i++) {
            other.execute(() -> full[0] |= other.isFull());
        }

        threads.forEach(Runnable::run);

        assertTrue(full[0]);
        assertFalse(other.isFull());
    }

    @Test
    void acceptsMoreThanItsMaximum() {
        addMany(10 * DeferredCloser.MAX_QUEUED);

        threads.remove().run();

        assertEquals(10 * DeferredCloser.MAX_QUEUED, closed.size());
        assertFalse(closer.isFull());
    }
}
