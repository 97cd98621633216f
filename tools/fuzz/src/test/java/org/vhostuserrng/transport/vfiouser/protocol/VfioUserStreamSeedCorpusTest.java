package org.vhostuserrng.transport.vfiouser.protocol;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.vhostuserrng.fuzz.FuzzCorpus;

/** Writes the seed corpus of {@link VfioUserStreamFuzzTarget}: messages in one piece, in several, and together. */
class VfioUserStreamSeedCorpusTest {
    private static final int RECEIVE = 0x80;

    private static byte[] message(int command, int payloadBytes) {
        ByteBuffer message = ByteBuffer.allocate(16 + payloadBytes).order(ByteOrder.nativeOrder());
        message.putShort((short) 1).putShort((short) command).putInt(16 + payloadBytes);
        return message.array();
    }

    private static byte[] pieces(int head, byte[]... pieces) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (byte[] piece : pieces) {
            out.write(head);
            out.write(piece.length);
            out.writeBytes(piece);
        }
        return out.toByteArray();
    }

    @Test
    void writesMessages() throws IOException {
        List<byte[]> inputs = List.of(
                pieces(RECEIVE, message(4, 16), message(2, 32)),
                pieces(0, message(10, 18), message(10, 18), message(13, 0)),
                pieces(RECEIVE | 1, message(2, 32), message(8, 20)));
        assertEquals(3, inputs.size());

        FuzzCorpus.write(VfioUserStreamFuzzTarget.class, inputs);
    }
}
