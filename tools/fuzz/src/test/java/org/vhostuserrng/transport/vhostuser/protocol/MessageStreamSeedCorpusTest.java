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

/** Writes the seed corpus of {@link MessageStreamFuzzTarget}: streams of valid messages. */
class MessageStreamSeedCorpusTest {
    private static final int[] SIZES = {0, 8, 16, 20, 24, 32, 40, VhostUserConstants.MAX_PAYLOAD_BYTES};
    private static final int RECEIVE = 0x80;
    private static final int MAX_PIECE_BYTES = 255;

    @Test
    void writesMessagesOfEveryTypeAndSizeInRandomPieces() throws IOException {
        List<byte[]> seeds = new ArrayList<>();
        for (FrontendMessageType type : FrontendMessageType.values()) {
            Random random = new Random(type.id());
            FuzzInputWriter seed = new FuzzInputWriter();
            for (int size : SIZES) {
                byte[] payload = new byte[size];
                random.nextBytes(payload);
                split(FrontendPayloadEncoder.message(type.id(), random.nextBoolean() ? 1 : 9, payload), random, seed);
            }
            byte[] input = seed.toByteArray();
            MessageStreamFuzzTarget.fuzzerTestOneInput(input);
            seeds.add(input);
        }

        FuzzCorpus.write(MessageStreamFuzzTarget.class, seeds);
    }

    private static void split(byte[] message, Random random, FuzzInputWriter seed) {
        int fds = random.nextInt(3);
        for (int offset = 0; offset < message.length; ) {
            int length = Math.min(1 + random.nextInt(MAX_PIECE_BYTES), message.length - offset);
            byte[] piece = new byte[length];
            System.arraycopy(message, offset, piece, 0, length);
            seed.u8(fds | (random.nextBoolean() ? RECEIVE : 0)).u8(length).bytes(piece);
            fds = 0;
            offset += length;
        }
    }
}
