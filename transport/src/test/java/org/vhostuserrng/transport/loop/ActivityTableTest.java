package org.vhostuserrng.transport.loop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import org.junit.jupiter.api.Test;

class ActivityTableTest {
    private final ActivityTable table = new ActivityTable();

    @Test
    void findsAnActivityByItsToken() {
        Activity activity = new RecordedActivity();

        long token = table.add(activity);

        assertEquals(activity, table.find(token));
    }

    @Test
    void findsNothingForTheTokenOfAnActivityWhosePlaceWasGivenAway() {
        Activity removed = new RecordedActivity();
        long stale = table.add(removed);
        table.remove(removed);

        table.add(new RecordedActivity());

        assertNull(table.find(stale));
    }

    @Test
    void findsNothingForATokenThatWasNeverGiven() {
        assertNull(table.find(-1));
    }

    @Test
    void holdsMoreActivitiesThanItBeganWith() {
        Activity last = null;
        long token = 0;
        for (int i = 0; i < 1000; i++) {
            last = new RecordedActivity();
            token = table.add(last);
        }

        assertEquals(last, table.find(token));
    }
}
