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
    private final DeferredCloser line = new DeferredCloser(threads::add);
    private final List<String> closed = new ArrayList<>();

    private void add(String what) {
        line.add(() -> closed.add(what));
    }

    private void addMany(int count) {
        for (int i = 0; i < count; i++) {
            add("one of many");
        }
    }

    @Test
    void closesNothingOnTheThreadThatAdds() {
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
    void closesWhatComesWhileAnotherIsClosed() {
        line.add(() -> add("second"));

        threads.remove().run();

        assertEquals(List.of("second"), closed);
    }

    @Test
    void occupiesOneThreadAtMost() {
        addMany(10);

        assertEquals(1, threads.size());
    }

    @Test
    void occupiesNoThreadOnceAllIsClosed() {
        add("first");
        threads.remove().run();

        add("second");

        assertEquals(1, threads.size());
    }

    @Test
    void isFullWithAsManyAsMayWait() {
        addMany(DeferredCloser.MOST_WAITING - 1);
        boolean before = line.isFull();

        add("last");

        assertFalse(before);
        assertTrue(line.isFull());
    }

    @Test
    void countsWhatIsBeingClosed() {
        addMany(DeferredCloser.MOST_WAITING - 1);
        boolean[] full = new boolean[1];
        DeferredCloser other = new DeferredCloser(threads::add);
        for (int i = 0; i < DeferredCloser.MOST_WAITING; i++) {
            other.add(() -> full[0] |= other.isFull());
        }

        threads.forEach(Runnable::run);

        assertTrue(full[0]);
        assertFalse(other.isFull());
    }

    @Test
    void takesMoreThanMayWait() {
        addMany(10 * DeferredCloser.MOST_WAITING);

        threads.remove().run();

        assertEquals(10 * DeferredCloser.MOST_WAITING, closed.size());
        assertFalse(line.isFull());
    }
}
