package org.vhostuserrng.transport.loop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import org.junit.jupiter.api.Test;

class EventHandlerTableTest {
    private final EventHandlerTable table = new EventHandlerTable();

    @Test
    void findsAHandlerByItsToken() {
        EventHandler handler = new RecordingEventHandler();

        long token = table.add(handler);

        assertEquals(handler, table.find(token));
    }

    @Test
    void findsNothingForTheTokenOfARemovedHandlerWhoseIndexIsReused() {
        EventHandler removed = new RecordingEventHandler();
        long stale = table.add(removed);
        table.remove(removed);

        table.add(new RecordingEventHandler());

        assertNull(table.find(stale));
    }

    @Test
    void findsNothingForATokenThatWasNeverIssued() {
        assertNull(table.find(-1));
    }

    @Test
    void growsBeyondItsInitialCapacity() {
        EventHandler last = null;
        long token = 0;
        for (int i = 0; i < 1000; i++) {
            last = new RecordingEventHandler();
            token = table.add(last);
        }

        assertEquals(last, table.find(token));
    }
}
