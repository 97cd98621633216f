package org.vhostuserrng.device;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.vhostuserrng.frontend.FrontendMessageType;
import org.vhostuserrng.frontend.IotlbMessage;
import org.vhostuserrng.frontend.Payload;
import org.vhostuserrng.fuzz.Corpus;
import org.vhostuserrng.fuzz.FuzzOutput;

/** Writes sessions as VMMs lead them, one for each thing that can be done beyond the usual, for {@link SessionFuzzTarget}. */
class SessionCorpusTest {
    private static final List<Consumer<RecordedFrontEnd>> EXTRAS = List.of(
            frontEnd -> {},
            SessionCorpusTest::useAnIommu,
            SessionCorpusTest::trackInflight,
            SessionCorpusTest::log,
            SessionCorpusTest::changeSlots,
            SessionCorpusTest::moveTheState,
            SessionCorpusTest::reset);

    @Test
    void recordsSessions() throws IOException {
        List<byte[]> seeds = new ArrayList<>();
        for (boolean packed : new boolean[] {false, true}) {
            for (Consumer<RecordedFrontEnd> extra : EXTRAS) {
                RecordedFrontEnd frontEnd = new RecordedFrontEnd(packed);
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

        Corpus.write(SessionFuzzTarget.class, seeds);
    }

    private static void useAnIommu(RecordedFrontEnd frontEnd) {
        long access = 1L << 33;
        frontEnd.acceptFeatures(access);
        frontEnd.send(FrontendMessageType.SET_BACKEND_REQ_FD, Payload.none(), SessionFuzzTarget.SOCKET);
        frontEnd.send(
                FrontendMessageType.IOTLB_MSG,
                IotlbMessage.invalidate(RecordedFrontEnd.USER_ADDRESS, 4096).payload());
        for (long page = 0; page < SessionFuzzTarget.FILE_BYTES; page += 4096) {
            map(frontEnd, RecordedFrontEnd.USER_ADDRESS + page, page, 4096);
        }
        map(frontEnd, RecordedFrontEnd.GUEST_ADDRESS, 0, SessionFuzzTarget.FILE_BYTES);
    }

    private static void map(RecordedFrontEnd frontEnd, long iova, long offset, long size) {
        frontEnd.send(
                FrontendMessageType.IOTLB_MSG,
                IotlbMessage.update(
                                iova,
                                size,
                                RecordedFrontEnd.USER_ADDRESS + offset,
                                IotlbMessage.READ | IotlbMessage.WRITE)
                        .payload());
    }

    private static void trackInflight(RecordedFrontEnd frontEnd) {
        byte[] description = new FuzzOutput()
                .u64(4096)
                .u64(0x4000)
                .u16(1)
                .u16(RecordedFrontEnd.SIZE)
                .u32(0)
                .toByteArray();
        frontEnd.send(FrontendMessageType.GET_INFLIGHT_FD, description);
        frontEnd.send(FrontendMessageType.SET_INFLIGHT_FD, description, SessionFuzzTarget.FILE);
    }

    private static void log(RecordedFrontEnd frontEnd) {
        byte[] range = new FuzzOutput().u64(4096).u64(0x5000).toByteArray();
        frontEnd.send(FrontendMessageType.SET_LOG_BASE, range, SessionFuzzTarget.FILE);
        frontEnd.send(FrontendMessageType.SET_LOG_FD, Payload.none(), SessionFuzzTarget.CALL_FD);
        frontEnd.acceptFeatures(1L << 26);
    }

    private static void changeSlots(RecordedFrontEnd frontEnd) {
        frontEnd.send(FrontendMessageType.GET_MAX_MEM_SLOTS, Payload.none());
        byte[] slot = new FuzzOutput()
                .u64(0)
                .u64(0x90000)
                .u64(0x1000)
                .u64(0x90000)
                .u64(0x6000)
                .toByteArray();
        frontEnd.send(FrontendMessageType.ADD_MEM_REG, slot, SessionFuzzTarget.FILE);
        frontEnd.send(FrontendMessageType.REM_MEM_REG, slot);
    }

    private static void moveTheState(RecordedFrontEnd frontEnd) {
        frontEnd.send(FrontendMessageType.SET_DEVICE_STATE_FD, Payload.vringState(0, 0), SessionFuzzTarget.PIPE_OUT);
        frontEnd.send(FrontendMessageType.CHECK_DEVICE_STATE, Payload.none());
        frontEnd.send(FrontendMessageType.SET_DEVICE_STATE_FD, Payload.vringState(1, 0), SessionFuzzTarget.PIPE_IN);
        frontEnd.renewPipe();
        frontEnd.send(FrontendMessageType.CHECK_DEVICE_STATE, Payload.none());
    }

    private static void reset(RecordedFrontEnd frontEnd) {
        frontEnd.send(FrontendMessageType.SET_STATUS, Payload.u64(7));
        frontEnd.send(FrontendMessageType.GET_STATUS, Payload.none());
        frontEnd.send(FrontendMessageType.GET_VRING_BASE_SKIP_DRAIN, Payload.vringState(0, 0));
        frontEnd.send(FrontendMessageType.RESET_OWNER, Payload.none());
        frontEnd.send(FrontendMessageType.RESET_DEVICE, Payload.none());
    }
}
