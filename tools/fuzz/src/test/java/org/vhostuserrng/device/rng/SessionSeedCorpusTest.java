package org.vhostuserrng.device.rng;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.vhostuserrng.frontend.FrontendIotlbMessage;
import org.vhostuserrng.frontend.FrontendMessageType;
import org.vhostuserrng.frontend.FrontendPayloadEncoder;
import org.vhostuserrng.fuzz.FuzzCorpus;
import org.vhostuserrng.fuzz.FuzzInputWriter;

/** Writes sessions as VMMs lead them, one for each thing that can be done beyond the usual, for {@link SessionFuzzTarget}. */
class SessionSeedCorpusTest {
    private static final List<Consumer<FrontendSeedRecorder>> EXTRAS = List.of(
            frontEnd -> {},
            SessionSeedCorpusTest::useAnIommu,
            SessionSeedCorpusTest::trackInflight,
            SessionSeedCorpusTest::log,
            SessionSeedCorpusTest::changeSlots,
            SessionSeedCorpusTest::moveTheState,
            SessionSeedCorpusTest::reset);

    @Test
    void recordsSessions() throws IOException {
        List<byte[]> seeds = new ArrayList<>();
        for (boolean packed : new boolean[] {false, true}) {
            for (Consumer<FrontendSeedRecorder> extra : EXTRAS) {
                FrontendSeedRecorder frontEnd = new FrontendSeedRecorder(packed);
                frontEnd.initialise();
                extra.accept(frontEnd);
                frontEnd.start();
                frontEnd.request();
                extra.accept(frontEnd);
                frontEnd.request();
                frontEnd.stop();
                extra.accept(frontEnd);
                byte[] seed = frontEnd.recorded();
                assertTrue(SessionFuzzTarget.served(seed) > 0, "extra " + EXTRAS.indexOf(extra));
                seeds.add(seed);
            }
        }

        FuzzCorpus.write(SessionFuzzTarget.class, seeds);
    }

    private static void useAnIommu(FrontendSeedRecorder frontEnd) {
        long access = 1L << 33;
        frontEnd.acceptFeatures(access);
        frontEnd.send(FrontendMessageType.SET_BACKEND_REQ_FD, FrontendPayloadEncoder.none(), SessionFuzzTarget.SOCKET);
        frontEnd.send(
                FrontendMessageType.IOTLB_MSG,
                FrontendIotlbMessage.invalidate(FrontendSeedRecorder.USER_ADDRESS, 4096)
                        .encode());
        for (long page = 0; page < SessionFuzzTarget.FILE_BYTES; page += 4096) {
            map(frontEnd, FrontendSeedRecorder.USER_ADDRESS + page, page, 4096);
        }
        map(frontEnd, FrontendSeedRecorder.GUEST_ADDRESS, 0, SessionFuzzTarget.FILE_BYTES);
    }

    private static void map(FrontendSeedRecorder frontEnd, long iova, long offset, long size) {
        frontEnd.send(
                FrontendMessageType.IOTLB_MSG,
                FrontendIotlbMessage.update(
                                iova,
                                size,
                                FrontendSeedRecorder.USER_ADDRESS + offset,
                                FrontendIotlbMessage.READ | FrontendIotlbMessage.WRITE)
                        .encode());
    }

    private static void trackInflight(FrontendSeedRecorder frontEnd) {
        byte[] description = new FuzzInputWriter()
                .u64(4096)
                .u64(0x4000)
                .u16(1)
                .u16(FrontendSeedRecorder.SIZE)
                .u32(0)
                .toByteArray();
        frontEnd.send(FrontendMessageType.GET_INFLIGHT_FD, description);
        frontEnd.send(FrontendMessageType.SET_INFLIGHT_FD, description, SessionFuzzTarget.FILE);
    }

    private static void log(FrontendSeedRecorder frontEnd) {
        byte[] range = new FuzzInputWriter().u64(4096).u64(0x5000).toByteArray();
        frontEnd.send(FrontendMessageType.SET_LOG_BASE, range, SessionFuzzTarget.FILE);
        frontEnd.send(FrontendMessageType.SET_LOG_FD, FrontendPayloadEncoder.none(), SessionFuzzTarget.CALL_FD);
        frontEnd.acceptFeatures(1L << 26);
    }

    private static void changeSlots(FrontendSeedRecorder frontEnd) {
        frontEnd.send(FrontendMessageType.GET_MAX_MEM_SLOTS, FrontendPayloadEncoder.none());
        byte[] slot = new FuzzInputWriter()
                .u64(0)
                .u64(0x90000)
                .u64(0x1000)
                .u64(0x90000)
                .u64(0x6000)
                .toByteArray();
        frontEnd.send(FrontendMessageType.ADD_MEM_REG, slot, SessionFuzzTarget.FILE);
        frontEnd.send(FrontendMessageType.REM_MEM_REG, slot);
    }

    private static void moveTheState(FrontendSeedRecorder frontEnd) {
        frontEnd.send(
                FrontendMessageType.SET_DEVICE_STATE_FD,
                FrontendPayloadEncoder.vringState(0, 0),
                SessionFuzzTarget.PIPE_OUT);
        frontEnd.send(FrontendMessageType.CHECK_DEVICE_STATE, FrontendPayloadEncoder.none());
        frontEnd.send(
                FrontendMessageType.SET_DEVICE_STATE_FD,
                FrontendPayloadEncoder.vringState(1, 0),
                SessionFuzzTarget.PIPE_IN);
        frontEnd.renewPipe();
        frontEnd.send(FrontendMessageType.CHECK_DEVICE_STATE, FrontendPayloadEncoder.none());
    }

    private static void reset(FrontendSeedRecorder frontEnd) {
        frontEnd.send(FrontendMessageType.SET_STATUS, FrontendPayloadEncoder.u64(7));
        frontEnd.send(FrontendMessageType.GET_STATUS, FrontendPayloadEncoder.none());
        frontEnd.send(FrontendMessageType.GET_VRING_BASE_SKIP_DRAIN, FrontendPayloadEncoder.vringState(0, 0));
        frontEnd.send(FrontendMessageType.RESET_OWNER, FrontendPayloadEncoder.none());
        frontEnd.send(FrontendMessageType.RESET_DEVICE, FrontendPayloadEncoder.none());
    }
}
