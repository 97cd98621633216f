package org.vhostuserrng.transport.loop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import org.junit.jupiter.api.Test;

class EventHandlerTableTest {
    private final EventHandlerTable table = new EventHandlerTable();

    @Test
    void findsAnActivityByItsToken() {
        EventHandler activity = new RecordingEventHandler();

        long token = table.add(activity);

        assertEquals(activity, table.find(token));
    }

    @Test
    void findsNothingForTheTokenOfAnActivityWhosePlaceWasGivenAway() {
        EventHandler removed = new RecordingEventHandler();
        long stale = table.add(removed);
        table.remove(removed);

        table.add(new RecordingEventHandler());

        assertNull(table.find(stale));
    }

    @Test
    void findsNothingForATokenThatWasNeverGiven() {
        assertNull(table.find(-1));
    }

    @Test
    void holdsMoreActivitiesThanItBeganWith() {
        EventHandler last = null;
        long token = 0;
        for (int i = 0; i < 1000; i++) {
            last = new RecordingEventHandler();
            token = table.add(last);
        }

        assertEquals(last, table.find(token));
    }
}
