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

/** Writes the seed corpus of {@link SessionFuzzTarget}: sessions of a front-end, one per optional feature. */
class SessionSeedCorpusTest {
    private static final long VHOST_F_LOG_ALL = 1L << 26;
    private static final List<Consumer<FrontendSeedRecorder>> FEATURES = List.of(
            frontend -> {},
            SessionSeedCorpusTest::useAnIommu,
            SessionSeedCorpusTest::trackInflight,
            SessionSeedCorpusTest::log,
            SessionSeedCorpusTest::changeSlots,
            SessionSeedCorpusTest::transferState,
            SessionSeedCorpusTest::reset);

    @Test
    void recordsSessions() throws IOException {
        List<byte[]> seeds = new ArrayList<>();
        for (boolean packed : new boolean[] {false, true}) {
            for (Consumer<FrontendSeedRecorder> feature : FEATURES) {
                FrontendSeedRecorder frontend = new FrontendSeedRecorder(packed);
                frontend.initialise();
                feature.accept(frontend);
                frontend.start();
                frontend.request();
                feature.accept(frontend);
                frontend.request();
                frontend.stop();
                feature.accept(frontend);
                byte[] seed = frontend.recorded();
                assertTrue(SessionFuzzTarget.requestsServed(seed) > 0, "feature " + FEATURES.indexOf(feature));
                seeds.add(seed);
            }
        }

        FuzzCorpus.write(SessionFuzzTarget.class, seeds);
    }

    private static void useAnIommu(FrontendSeedRecorder frontend) {
        long accessPlatform = 1L << 33;
        frontend.acceptFeatures(accessPlatform);
        frontend.send(FrontendMessageType.SET_BACKEND_REQ_FD, FrontendPayloadEncoder.none(), SessionFuzzTarget.SOCKET);
        frontend.send(
                FrontendMessageType.IOTLB_MSG,
                FrontendIotlbMessage.invalidate(FrontendSeedRecorder.USER_ADDRESS, 4096)
                        .encode());
        for (long page = 0; page < SessionFuzzTarget.FILE_BYTES; page += 4096) {
            map(frontend, FrontendSeedRecorder.USER_ADDRESS + page, page, 4096);
        }
        map(frontend, FrontendSeedRecorder.GUEST_ADDRESS, 0, SessionFuzzTarget.FILE_BYTES);
    }

    private static void map(FrontendSeedRecorder frontend, long iova, long offset, long size) {
        frontend.send(
                FrontendMessageType.IOTLB_MSG,
                FrontendIotlbMessage.update(
                                iova,
                                size,
                                FrontendSeedRecorder.USER_ADDRESS + offset,
                                FrontendIotlbMessage.READ | FrontendIotlbMessage.WRITE)
                        .encode());
    }

    private static void trackInflight(FrontendSeedRecorder frontend) {
        byte[] inflight = new FuzzInputWriter()
                .u64(4096)
                .u64(0x4000)
                .u16(1)
                .u16(FrontendSeedRecorder.QUEUE_SIZE)
                .u32(0)
                .toByteArray();
        frontend.send(FrontendMessageType.GET_INFLIGHT_FD, inflight);
        frontend.send(FrontendMessageType.SET_INFLIGHT_FD, inflight, SessionFuzzTarget.FILE);
    }

    private static void log(FrontendSeedRecorder frontend) {
        byte[] range = new FuzzInputWriter().u64(4096).u64(0x5000).toByteArray();
        frontend.send(FrontendMessageType.SET_LOG_BASE, range, SessionFuzzTarget.FILE);
        frontend.send(FrontendMessageType.SET_LOG_FD, FrontendPayloadEncoder.none(), SessionFuzzTarget.CALL_FD);
        frontend.acceptFeatures(VHOST_F_LOG_ALL);
    }

    private static void changeSlots(FrontendSeedRecorder frontend) {
        frontend.send(FrontendMessageType.GET_MAX_MEM_SLOTS, FrontendPayloadEncoder.none());
        byte[] region = new FuzzInputWriter()
                .u64(0)
                .u64(0x90000)
                .u64(0x1000)
                .u64(0x90000)
                .u64(0x6000)
                .toByteArray();
        frontend.send(FrontendMessageType.ADD_MEM_REG, region, SessionFuzzTarget.FILE);
        frontend.send(FrontendMessageType.REM_MEM_REG, region);
    }

    private static void transferState(FrontendSeedRecorder frontend) {
        frontend.send(
                FrontendMessageType.SET_DEVICE_STATE_FD,
                FrontendPayloadEncoder.vringState(0, 0),
                SessionFuzzTarget.PIPE_OUT);
        frontend.send(FrontendMessageType.CHECK_DEVICE_STATE, FrontendPayloadEncoder.none());
        frontend.send(
                FrontendMessageType.SET_DEVICE_STATE_FD,
                FrontendPayloadEncoder.vringState(1, 0),
                SessionFuzzTarget.PIPE_IN);
        frontend.renewPipe();
        frontend.send(FrontendMessageType.CHECK_DEVICE_STATE, FrontendPayloadEncoder.none());
    }

    private static void reset(FrontendSeedRecorder frontend) {
        frontend.send(FrontendMessageType.SET_STATUS, FrontendPayloadEncoder.u64(7));
        frontend.send(FrontendMessageType.GET_STATUS, FrontendPayloadEncoder.none());
        frontend.send(FrontendMessageType.GET_VRING_BASE_SKIP_DRAIN, FrontendPayloadEncoder.vringState(0, 0));
        frontend.send(FrontendMessageType.RESET_OWNER, FrontendPayloadEncoder.none());
        frontend.send(FrontendMessageType.RESET_DEVICE, FrontendPayloadEncoder.none());
    }
}
