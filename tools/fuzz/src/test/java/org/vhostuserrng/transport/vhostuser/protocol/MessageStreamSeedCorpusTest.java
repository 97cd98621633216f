package org.vhostuserrng.transport.vhostuser.protocol;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.vhostuserrng.frontend.FrontendMessageType;
import org.vhostuserrng.frontend.FrontendPayloadEncoder;
import org.vhostuserrng.fuzz.FuzzCorpus;
import org.vhostuserrng.fuzz.FuzzInputWriter;

/** Writes streams of messages that may be, for the fuzzing of {@link MessageStreamFuzzTarget}. */
class MessageStreamSeedCorpusTest {
    private static final int[] SIZES = {0, 8, 16, 20, 24, 32, 40, VhostUserSpec.MOST_PAYLOAD_BYTES};
    private static final int RECEIVE = 0x80;
    private static final int LONGEST_PIECE = 255;

    @Test
    void writesMessagesOfEveryKindAndSizeCutAnywhere() throws IOException {
        List<byte[]> seeds = new ArrayList<>();
        for (FrontendMessageType type : FrontendMessageType.values()) {
            Random random = new Random(type.id());
            FuzzInputWriter seed = new FuzzInputWriter();
            for (int size : SIZES) {
                byte[] payload = new byte[size];
                random.nextBytes(payload);
                cut(FrontendPayloadEncoder.message(type.id(), random.nextBoolean() ? 1 : 9, payload), random, seed);
            }
            byte[] input = seed.toByteArray();
            MessageStreamFuzzTarget.fuzzerTestOneInput(input);
            seeds.add(input);
        }

        FuzzCorpus.write(MessageStreamFuzzTarget.class, seeds);
    }

    private static void cut(byte[] message, Random random, FuzzInputWriter seed) {
        int fds = random.nextInt(3);
        for (int at = 0; at < message.length; ) {
            int length = Math.min(1 + random.nextInt(LONGEST_PIECE), message.length - at);
            byte[] piece = new byte[length];
            System.arraycopy(message, at, piece, 0, length);
            seed.u8(fds | (random.nextBoolean() ? RECEIVE : 0)).u8(length).bytes(piece);
            fds = 0;
            at += length;
        }
    }
}
