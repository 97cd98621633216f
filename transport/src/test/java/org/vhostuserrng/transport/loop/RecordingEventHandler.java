package org.vhostuserrng.transport.loop;

import java.util.ArrayList;
import java.util.List;

/** Remembers the turns it was given. */
class RecordingEventHandler extends EventHandler {
    final List<Long> turns = new ArrayList<>();
    final List<RuntimeException> failures = new ArrayList<>();

    @Override
    protected void run(long now, boolean ready) {
        turns.add(now);
    }

    @Override
    protected void fail(RuntimeException bug) {
        failures.add(bug);
    }
}
