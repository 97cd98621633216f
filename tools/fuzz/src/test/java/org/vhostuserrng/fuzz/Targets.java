package org.vhostuserrng.fuzz;

import java.util.stream.Stream;
import org.vhostuserrng.device.PackedRingFuzzTarget;
import org.vhostuserrng.device.SessionFuzzTarget;
import org.vhostuserrng.device.SplitRingFuzzTarget;
import org.vhostuserrng.transport.protocol.MessageStreamFuzzTarget;

/** All that is fuzzed. */
final class Targets {
    private Targets() {}

    static Stream<Class<?>> all() {
        return Stream.of(
                SplitRingFuzzTarget.class,
                PackedRingFuzzTarget.class,
                SessionFuzzTarget.class,
                MessageStreamFuzzTarget.class);
    }
}
