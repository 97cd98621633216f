package org.vhostuserrng.transport.vfiouser.session;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.vhostuserrng.transport.vfiouser.session.SteppedVfioUserClient.u32;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vhostuserrng.transport.vfiouser.session.SteppedVfioUserClient.Reply;

/** argsz of commands and replies: vfio-user, "the maximum size of the reply payload", as in linux/vfio.h. */
@Timeout(120)
class VfioUserArgszTest {
    private static final int EINVAL = 22;

    @TempDir
    private Path directory;

    private SteppedVfioUserClient client;

    @BeforeEach
    void connect() throws IOException {
        client = new SteppedVfioUserClient(directory).negotiate();
    }

    @AfterEach
    void close() {
        client.close();
    }

    /** An argsz above the size of the structure does not make the reply longer. */
    @ParameterizedTest
    @CsvSource({"4, 16, 32", "5, 32, 40", "5, 32, -1", "6, 16, 512", "7, 16, 32"})
    void replyToALargerArgszHasTheSizeOfTheStructure(int command, int size, int argsz) {
        byte[] payload = Arrays.copyOf(u32(argsz, 0, 2, 0), size);

        Reply reply = client.command(command, payload);

        assertEquals(0, reply.errno());
        assertEquals(size, reply.data().getInt(0));
        assertEquals(size, reply.payload().length);
    }

    /** A client may reserve room for capabilities in the command, too. */
    @ParameterizedTest
    @CsvSource({"4, 16", "5, 32", "6, 16", "7, 16"})
    void commandAsLongAsItsArgszIsAccepted(int command, int size) {
        byte[] payload = Arrays.copyOf(u32(80, 0, 2, 0), 80);

        Reply reply = client.command(command, payload);

        assertEquals(0, reply.errno());
        assertEquals(size, reply.payload().length);
    }

    @ParameterizedTest
    @CsvSource({"2, 32, 31", "2, 32, 0", "3, 24, 23", "8, 20, 19", "8, 20, 3"})
    void argszBelowTheSizeOfTheStructureIsRefused(int command, int size, int argsz) {
        byte[] payload = validPayload(command);
        ByteBuffer.wrap(payload).order(ByteOrder.nativeOrder()).putInt(0, argsz);

        assertEquals(size, payload.length);
        assertEquals(EINVAL, client.command(command, payload).errno());
        assertEquals(0, client.closedCount);
    }

    /** The payload of a command that only its argsz can make invalid. */
    private static byte[] validPayload(int command) {
        return switch (command) {
            case SteppedVfioUserClient.DMA_MAP -> SteppedVfioUserClient.map(3, 0, 0, 0x1000);
            case SteppedVfioUserClient.DMA_UNMAP -> SteppedVfioUserClient.unmap(0, 0x1000);
            default -> SteppedVfioUserClient.irqs(0x21, 2, 0, 0);
        };
    }

    @ParameterizedTest
    @CsvSource({"2, 31", "2, 33", "3, 23", "3, 25", "13, 1"})
    void commandOfAnotherLengthIsRefused(int command, int length) {
        assertEquals(EINVAL, client.command(command, new byte[length]).errno());
        assertEquals(0, client.closedCount);
    }

    @Test
    void regionIoFdsWithACountAreRefused() {
        assertEquals(
                EINVAL,
                client.command(SteppedVfioUserClient.GET_REGION_IO_FDS, u32(16, 0, 4, 1))
                        .errno());
    }

    /** A region that does not exist has neither a size nor descriptors. */
    @Test
    void regionWithoutASizeHasNoIoFds() {
        Reply reply = client.command(SteppedVfioUserClient.GET_REGION_IO_FDS, u32(512, 0, 3, 0));

        assertArrayEquals(u32(16, 0, 3, 0), reply.payload());
    }
}
