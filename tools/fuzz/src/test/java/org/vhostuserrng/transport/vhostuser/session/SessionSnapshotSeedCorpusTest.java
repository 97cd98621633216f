package org.vhostuserrng.transport.vhostuser.session;

import java.io.IOException;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.vhostuserrng.fuzz.FuzzCorpus;
import org.vhostuserrng.transport.memory.Iotlb;
import org.vhostuserrng.transport.vhostuser.protocol.FrontendRequest.Inflight;
import org.vhostuserrng.transport.vhostuser.protocol.FrontendRequest.MemoryRegion;
import org.vhostuserrng.transport.vhostuser.protocol.FrontendRequest.UserAddress;
import org.vhostuserrng.transport.vhostuser.session.SessionSnapshot.DirtyLogSnapshot;
import org.vhostuserrng.transport.vhostuser.session.SessionSnapshotCodec.CommittedSession;

/** Writes the seed corpus of {@link SessionSnapshotFuzzTarget}: a new session and a running one. */
class SessionSnapshotSeedCorpusTest {
    private static final DirtyLogSnapshot NO_LOG = new DirtyLogSnapshot(0, 0, 0, 0);

    private static final SessionSnapshot NEW = new SessionSnapshot(
            "guest", 0, 0, false, false, 0, List.of(), List.of(), List.of(), NO_LOG, null, 0, 0, false, List.of());

    private static final SessionSnapshot RUNNING = new SessionSnapshot(
            "guest",
            0x1_7000_0000L,
            0x9,
            true,
            false,
            0xf,
            List.of(new MemoryRegion(0, 1 << 20, new UserAddress(0x7f00_0000_0000L), 0)),
            List.of(1L),
            List.of(new VringSnapshot(
                    0,
                    VringState.STARTED,
                    7,
                    64,
                    new VringAddresses(new UserAddress(0x1000), new UserAddress(0x2000), new UserAddress(0x3000)),
                    true,
                    true,
                    false,
                    1,
                    true,
                    2,
                    3,
                    0,
                    false,
                    OptionalLong.of(0x2000))),
            NO_LOG,
            new Inflight(4096, 0, 1, 64, 24),
            4,
            5,
            false,
            List.of(new Iotlb.Entry(0, 4095, 8192, Iotlb.READ)));

    @Test
    void writesStates() throws IOException {
        List<byte[]> seeds = List.of(
                SessionSnapshotCodec.encode(new CommittedSession("listen /run/a", 0, 0, 0, 0, NEW)),
                SessionSnapshotCodec.encode(new CommittedSession("listen /run/a", 20, 20, 0, 5, RUNNING)));
        seeds.forEach(SessionSnapshotFuzzTarget::fuzzerTestOneInput);

        FuzzCorpus.write(SessionSnapshotFuzzTarget.class, seeds);
    }
}
