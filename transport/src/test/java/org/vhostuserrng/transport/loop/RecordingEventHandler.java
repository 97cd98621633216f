package org.vhostuserrng.transport.loop;

import java.util.ArrayList;
import java.util.List;

/** A handler that records the times of its dispatches, and the bugs that are reported to it. */
class RecordingEventHandler extends EventHandler {
    final List<Long> dispatches = new ArrayList<>();
    final List<RuntimeException> bugs = new ArrayList<>();

    @Override
    protected void handle(long now, boolean ready) {
        dispatches.add(now);
    }

    @Override
    public void handleBug(RuntimeException bug) {
        bugs.add(bug);
    }
}
