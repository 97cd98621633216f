package org.vhostuserrng.transport.vhostuser.session;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.vhostuserrng.transport.memory.Iotlb;
import org.vhostuserrng.transport.vhostuser.journal.InvalidJournalException;
import org.vhostuserrng.transport.vhostuser.protocol.FrontendRequest.Inflight;
import org.vhostuserrng.transport.vhostuser.protocol.FrontendRequest.MemoryRegion;
import org.vhostuserrng.transport.vhostuser.protocol.FrontendRequest.UserAddress;
import org.vhostuserrng.transport.vhostuser.session.SessionSnapshot.DirtyLogSnapshot;
import org.vhostuserrng.transport.vhostuser.session.SessionSnapshotCodec.CommittedSession;

class SessionSnapshotCodecTest {
    private static final int STATES = 200;

    private static UserAddress address(Random random) {
        return new UserAddress(random.nextLong());
    }

    private static VringSnapshot vring(Random random, int index) {
        VringState[] states = VringState.values();
        return new VringSnapshot(
                index,
                states[random.nextInt(states.length)],
                random.nextInt(),
                random.nextInt(),
                random.nextBoolean() ? null : new VringAddresses(address(random), address(random), address(random)),
                random.nextBoolean(),
                random.nextBoolean(),
                random.nextBoolean(),
                random.nextLong(),
                random.nextBoolean(),
                random.nextLong(),
                random.nextLong(),
                random.nextLong(),
                random.nextBoolean(),
                random.nextBoolean() ? OptionalLong.empty() : OptionalLong.of(random.nextLong()));
    }

    private static CommittedSession state(long seed) {
        Random random = new Random(seed);
        int regions = random.nextInt(40);
        SessionSnapshot session = new SessionSnapshot(
                "guest\u00e9" + random.nextInt(),
                random.nextLong(),
                random.nextLong(),
                random.nextBoolean(),
                random.nextBoolean(),
                random.nextLong(),
                IntStream.range(0, regions)
                        .mapToObj(_ -> new MemoryRegion(
                                random.nextLong(), random.nextLong(), address(random), random.nextLong()))
                        .toList(),
                random.longs(regions).boxed().toList(),
                IntStream.range(0, random.nextInt(3))
                        .mapToObj(index -> vring(random, index))
                        .toList(),
                new DirtyLogSnapshot(random.nextLong(), random.nextLong(), random.nextLong(), random.nextLong()),
                random.nextBoolean()
                        ? null
                        : new Inflight(
                                random.nextLong(),
                                random.nextLong(),
                                random.nextInt(),
                                random.nextInt(),
                                random.nextInt()),
                random.nextLong(),
                random.nextLong(),
                random.nextBoolean(),
                IntStream.range(0, random.nextInt(Iotlb.MAX_ENTRIES + 1))
                        .mapToObj(_ -> new Iotlb.Entry(
                                random.nextLong(), random.nextLong(), random.nextLong(), random.nextInt()))
                        .toList());
        return new CommittedSession(
                "listen /run/socket",
                random.nextInt(),
                random.nextInt(),
                random.nextLong(),
                random.nextLong(),
                session);
    }

    @Test
    void decodedStateEqualsTheEncodedOne() throws Exception {
        for (long seed = 0; seed < STATES; seed++) {
            CommittedSession state = state(seed);

            assertEquals(state, SessionSnapshotCodec.decode(SessionSnapshotCodec.encode(state)), "seed " + seed);
        }
    }

    @Test
    void truncatedStateIsInvalid() {
        byte[] state = SessionSnapshotCodec.encode(state(1));
        for (int length : List.of(0, 1, 3, 20, 50, state.length / 2, state.length - 1)) {
            assertThrows(
                    InvalidJournalException.class,
                    () -> SessionSnapshotCodec.decode(Arrays.copyOf(state, length)),
                    "length " + length);
        }
    }

    @Test
    void longerStateIsInvalid() {
        byte[] state = SessionSnapshotCodec.encode(state(2));

        assertThrows(
                InvalidJournalException.class,
                () -> SessionSnapshotCodec.decode(Arrays.copyOf(state, state.length + 1)));
    }
}
