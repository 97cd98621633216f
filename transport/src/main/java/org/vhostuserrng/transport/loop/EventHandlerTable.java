package org.vhostuserrng.transport.loop;

import java.util.Arrays;

/**
 * Maps the 64-bit token that epoll returns, an index and its generation, to a handler. The token of a removed handler
 * matches no handler, even if its index is in use again.
 */
final class EventHandlerTable {
    private EventHandler[] handlers = new EventHandler[16];
    private int[] generations = new int[16];
    private int[] freeIndices = new int[16];
    private int freeCount;
    private int used;

    /** Adds a handler and returns its token. */
    long add(EventHandler handler) {
        assert handler.tableIndex == EventHandler.NO_INDEX;
        int index = freeCount > 0 ? freeIndices[--freeCount] : newIndex();
        handlers[index] = handler;
        handler.tableIndex = index;
        return token(index);
    }

    /** Returns the token of a handler in the table. */
    long token(EventHandler handler) {
        return token(handler.tableIndex);
    }

    /** Returns the handler with a token, or null if it was removed. */
    EventHandler find(long token) {
        int index = (int) token;
        return index >= 0 && index < used && generations[index] == (int) (token >>> 32) ? handlers[index] : null;
    }

    void remove(EventHandler handler) {
        int index = handler.tableIndex;
        handler.tableIndex = EventHandler.NO_INDEX;
        handlers[index] = null;
        generations[index]++;
        if (freeCount == freeIndices.length) {
            freeIndices = Arrays.copyOf(freeIndices, 2 * freeCount);
        }
        freeIndices[freeCount++] = index;
    }

    private long token(int index) {
        return (long) generations[index] << 32 | index;
    }

    private int newIndex() {
        if (used == handlers.length) {
            handlers = Arrays.copyOf(handlers, 2 * used);
            generations = Arrays.copyOf(generations, 2 * used);
        }
        return used++;
    }
}
