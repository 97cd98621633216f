package org.vhostuserrng.transport.vfiouser.protocol;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class VersionProposalTest {
    /** What QEMU 11.1 sends. */
    private static final String QEMU = "{\"capabilities\": {\"pgsizes\": 4096, \"max_msg_fds\": 16, \"max_dma_maps\":"
            + " 65535, \"max_data_xfer_size\": 1048576, \"migration\": {\"max_bitmap_size\": 268435456, \"pgsize\":"
            + " 4096}, \"write_multiple\": true}}\0";

    private static VersionProposal parse(int major, int minor, byte[] data) throws VfioUserViolationException {
        ByteBuffer payload = ByteBuffer.allocate(4 + data.length).order(ByteOrder.nativeOrder());
        payload.putShort((short) major).putShort((short) minor).put(data);
        return VersionProposal.parse(MemorySegment.ofArray(payload.array()));
    }

    private static VersionProposal parse(String data) throws VfioUserViolationException {
        return parse(0, 0, data.getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void acceptsTheProposalOfQemu() throws VfioUserViolationException {
        VersionProposal proposal = parse(QEMU);

        assertTrue(proposal.writeMultiple());
        assertEquals(
                "{\"capabilities\":{\"max_msg_fds\":8,\"max_data_xfer_size\":1048576,\"max_dma_maps\":509,"
                        + "\"pgsizes\":4096,\"write_multiple\":true}}\0",
                new String(proposal.acceptedData(509), StandardCharsets.US_ASCII));
    }

    @ParameterizedTest
    @CsvSource({"0, 0", "1, 1", "2, 1", "65535, 1"})
    void acceptsAMinorVersionUpToTheProposedOne(int proposed, int accepted) throws VfioUserViolationException {
        assertEquals(accepted, parse(0, proposed, new byte[0]).acceptedMinor());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "{}\0",
                "{\"capabilities\":{}}\0",
                "{\"other\":[1]}\0",
                "{\"capabilities\":{\"unknown\":{\"a\":[null]},\"twin_socket\":{\"supported\":true}}}\0"
            })
    void acceptsMissingAndUnknownCapabilities(String data) throws VfioUserViolationException {
        assertFalse(parse(data).writeMultiple());
    }

    @Test
    void offersWriteMultipleOnlyIfProposed() throws VfioUserViolationException {
        String accepted = new String(parse("{}\0").acceptedData(1), StandardCharsets.US_ASCII);

        assertFalse(accepted.contains("write_multiple"));
    }

    @Test
    void acceptsTheMaximumTransferSizeOfTheClient() throws VfioUserViolationException {
        assertEquals(
                64, parse("{\"capabilities\":{\"max_data_xfer_size\":64}}\0").maxDataXferSize());
        assertEquals(1048576, parse("{}\0").maxDataXferSize());
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 65535})
    void refusesAnotherMajorVersion(int major) {
        assertThrows(VfioUserViolationException.class, () -> parse(major, 0, new byte[0]));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "\0",
                "{}",
                "{}\0\0",
                "{}\0{}\0",
                "[]\0",
                "\"text\"\0",
                "1\0",
                "{\"capabilities\":[]}\0",
                "{\"capabilities\":null}\0",
                "{\"capabilities\":{\"max_msg_fds\":\"8\"}}\0",
                "{\"capabilities\":{\"max_msg_fds\":-1}}\0",
                "{\"capabilities\":{\"max_msg_fds\":1.5}}\0",
                "{\"capabilities\":{\"max_dma_maps\":1e99}}\0",
                "{\"capabilities\":{\"max_data_xfer_size\":99999999999999999999}}\0",
                "{\"capabilities\":{\"pgsizes\":null}}\0",
                "{\"capabilities\":{\"write_multiple\":1}}\0",
                "{\"capabilities\":{\"twin_socket\":true}}\0",
                "{\"capabilities\":{\"twin_socket\":{\"supported\":0}}}\0",
                "{\"capabilities\":{\"migration\":4096}}\0",
                "{\"capabilities\":{},\"capabilities\":{}}\0"
            })
    void refusesMalformedVersionData(String data) {
        assertThrows(VfioUserViolationException.class, () -> parse(data));
    }

    @Test
    void refusesInvalidUtf8() {
        byte[] data = {'{', '"', (byte) 0xff, '"', ':', '1', '}', 0};

        assertThrows(VfioUserViolationException.class, () -> parse(0, 0, data));
    }

    @Test
    void refusesVersionDataOfMoreThan8192Bytes() {
        String data = "{}" + " ".repeat(VersionProposal.MAX_DATA_BYTES - 2) + "\0";

        assertThrows(VfioUserViolationException.class, () -> parse(data));
    }

    @Test
    void refusesAPayloadWithoutAVersion() {
        assertThrows(VfioUserViolationException.class, () -> VersionProposal.parse(MemorySegment.ofArray(new byte[3])));
    }
}
