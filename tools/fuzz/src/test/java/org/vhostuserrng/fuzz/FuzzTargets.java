package org.vhostuserrng.fuzz;

import java.util.stream.Stream;
import org.vhostuserrng.backends.egd.EgdRepliesFuzzTarget;
import org.vhostuserrng.backends.expression.SourceExpressionFuzzTarget;
import org.vhostuserrng.cli.egd.EgdServerFuzzTarget;
import org.vhostuserrng.cli.metrics.MetricsFuzzTarget;
import org.vhostuserrng.cli.top.CountersFileFuzzTarget;
import org.vhostuserrng.cli.trace.TraceFileFuzzTarget;
import org.vhostuserrng.daemon.ControlRequestFuzzTarget;
import org.vhostuserrng.daemon.DaemonConfigFuzzTarget;
import org.vhostuserrng.device.pci.VirtioPciFunctionFuzzTarget;
import org.vhostuserrng.device.rng.InflightRegionFuzzTarget;
import org.vhostuserrng.device.rng.PackedRingFuzzTarget;
import org.vhostuserrng.device.rng.RngMigrationStateFuzzTarget;
import org.vhostuserrng.device.rng.SessionFuzzTarget;
import org.vhostuserrng.device.rng.SplitRingFuzzTarget;
import org.vhostuserrng.transport.memory.IotlbFuzzTarget;
import org.vhostuserrng.transport.vhostuser.protocol.MessageStreamFuzzTarget;
import org.vhostuserrng.transport.vhostuser.session.SessionSnapshotFuzzTarget;

/** All fuzz targets. */
final class FuzzTargets {
    private FuzzTargets() {}

    static Stream<Class<?>> all() {
        return Stream.of(
                MessageStreamFuzzTarget.class,
                SessionFuzzTarget.class,
                SplitRingFuzzTarget.class,
                PackedRingFuzzTarget.class,
                InflightRegionFuzzTarget.class,
                IotlbFuzzTarget.class,
                RngMigrationStateFuzzTarget.class,
                VirtioPciFunctionFuzzTarget.class,
                SessionSnapshotFuzzTarget.class,
                SourceExpressionFuzzTarget.class,
                DaemonConfigFuzzTarget.class,
                ControlRequestFuzzTarget.class,
                EgdRepliesFuzzTarget.class,
                EgdServerFuzzTarget.class,
                TraceFileFuzzTarget.class,
                CountersFileFuzzTarget.class,
                MetricsFuzzTarget.class);
    }
}
