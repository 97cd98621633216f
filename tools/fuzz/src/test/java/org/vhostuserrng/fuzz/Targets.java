package org.vhostuserrng.fuzz;

import java.util.stream.Stream;
import org.vhostuserrng.backends.EgdRepliesFuzzTarget;
import org.vhostuserrng.backends.SourceExpressionFuzzTarget;
import org.vhostuserrng.cli.egd.EgdServerFuzzTarget;
import org.vhostuserrng.cli.trace.ReplayFuzzTarget;
import org.vhostuserrng.device.InflightFuzzTarget;
import org.vhostuserrng.device.PackedRingFuzzTarget;
import org.vhostuserrng.device.SessionFuzzTarget;
import org.vhostuserrng.device.SplitRingFuzzTarget;
import org.vhostuserrng.device.StateFuzzTarget;
import org.vhostuserrng.transport.IotlbFuzzTarget;
import org.vhostuserrng.transport.protocol.MessageStreamFuzzTarget;

/** All that is fuzzed. */
final class Targets {
    private Targets() {}

    static Stream<Class<?>> all() {
        return Stream.of(
                MessageStreamFuzzTarget.class,
                SessionFuzzTarget.class,
                SplitRingFuzzTarget.class,
                PackedRingFuzzTarget.class,
                InflightFuzzTarget.class,
                IotlbFuzzTarget.class,
                StateFuzzTarget.class,
                SourceExpressionFuzzTarget.class,
                EgdRepliesFuzzTarget.class,
                EgdServerFuzzTarget.class,
                ReplayFuzzTarget.class);
    }
}
