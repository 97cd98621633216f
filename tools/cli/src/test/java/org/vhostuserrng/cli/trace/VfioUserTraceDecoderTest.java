package org.vhostuserrng.cli.trace;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vhostuserrng.cli.trace.TraceRecord.MessageSent;
import org.vhostuserrng.cli.trace.TraceRecord.PassedFd;

/** Tests the decoding of messages that were written by hand from the vfio-user document, in little-endian order. */
class VfioUserTraceDecoderTest {
    private static final int COMMAND = 0;
    private static final int REPLY = 1;
    private static final int NO_REPLY = 0x10;
    private static final int ERROR_REPLY = 0x21;
    private static final int VERSION = 1;
    private static final int DMA_MAP = 2;
    private static final int GET_REGION_INFO = 5;
    private static final int SET_IRQS = 8;
    private static final int REGION_READ = 9;
    private static final int REGION_WRITE = 10;
    private static final int DMA_WRITE = 12;
    private static final int RESET = 13;
    private static final String CONFIG = "07000000";
    private static final String BAR1 = "01000000";
    private static final String BAR4 = "04000000";

    private final TraceMessageDecoder decoder = new VfioUserTraceDecoder();
    private int nextId = 1;

    @BeforeEach
    void negotiate() {
        send(TraceSide.FRONT_END, 0, VERSION, COMMAND, "0000 0000");
        send(TraceSide.BACK_END, 0, VERSION, REPLY, "0000 0000");
    }

    private static byte[] bytes(int id, int command, int flags, int error, String payload) {
        byte[] body = HexFormat.of().parseHex(payload.replace(" ", ""));
        return ByteBuffer.allocate(16 + body.length)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putShort((short) id)
                .putShort((short) command)
                .putInt(16 + body.length)
                .putInt(flags)
                .putInt(error)
                .put(body)
                .array();
    }

    private TraceDecodedMessage send(TraceSide from, byte[] bytes, String... fds) {
        List<PassedFd> passed =
                Stream.of(fds).map(description -> new PassedFd(0, description)).toList();
        return decoder.decode(new MessageSent(0, from, bytes, passed));
    }

    private TraceDecodedMessage send(TraceSide from, int id, int command, int flags, String payload, String... fds) {
        return send(from, bytes(id, command, flags, 0, payload), fds);
    }

    private TraceDecodedMessage command(int command, String payload, String... fds) {
        return send(TraceSide.FRONT_END, nextId++, command, COMMAND, payload, fds);
    }

    private TraceDecodedMessage post(String payload) {
        return send(TraceSide.FRONT_END, nextId++, REGION_WRITE, NO_REPLY, payload);
    }

    private TraceDecodedMessage reply(int command, String payload, String... fds) {
        return send(TraceSide.BACK_END, nextId - 1, command, REPLY, payload, fds);
    }

    private TraceDecodedMessage read(String region, int offset, String data) {
        command(REGION_READ, access(region, offset, data));
        return reply(REGION_READ, access(region, offset, data) + data);
    }

    private static String access(String region, int offset, String data) {
        return hex32(offset) + "00000000" + region + hex32(data.replace(" ", "").length() / 2);
    }

    private static String hex32(int value) {
        return HexFormat.of().toHexDigits(Integer.reverseBytes(value));
    }

    /** Reads a configuration space with the capabilities of this project's function and QEMU's. */
    private void readConfig() {
        byte[] config = new byte[256];
        put(config, 0x00, "f41a4410");
        put(config, 0x34, "40");
        put(config, 0x40, "11500180" + "01000000" + "01080000");
        put(config, 0x50, "09601001" + "04000000" + "00000000" + "00100000");
        put(config, 0x60, "09701003" + "04000000" + "00100000" + "00100000");
        put(config, 0x70, "09001402" + "04000000" + "00300000" + "00100000" + "04000000");
        read(CONFIG, 0, HexFormat.of().formatHex(config));
    }

    private static void put(byte[] config, int offset, String hex) {
        byte[] bytes = HexFormat.of().parseHex(hex);
        System.arraycopy(bytes, 0, config, offset, bytes.length);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            emptyValue = "",
            value = {
                "2 | DMA_MAP | 20000000 03000000 0010000000000000 0000004000000000 0000200000000000 |"
                        + " address=0x40000000 size=2 MiB (2097152 B) offset=0x1000 flags=0x3 {READABLE WRITEABLE}",
                "3 | DMA_UNMAP | 18000000 00000000 0000004000000000 0000200000000000 |"
                        + " address=0x40000000 size=2 MiB (2097152 B)",
                "4 | DEVICE_GET_INFO | 10000000 00000000 00000000 00000000 | ''",
                "5 | DEVICE_GET_REGION_INFO | 20000000 00000000 04000000 00000000 0000000000000000 0000000000000000 |"
                        + " BAR4",
                "5 | DEVICE_GET_REGION_INFO | 40000000 00000000 06000000 00000000 0000000000000000 0000000000000000 |"
                        + " ROM argsz=64",
                "6 | DEVICE_GET_REGION_IO_FDS | 10000000 00000000 08000000 00000000 | VGA",
                "7 | DEVICE_GET_IRQ_INFO | 10000000 00000000 03000000 00000000 | ERR",
                "8 | DEVICE_SET_IRQS | 14000000 21000000 00000000 00000000 00000000 |"
                        + " INTX flags=0x21 {DATA_NONE ACTION_TRIGGER} start=0 count=0",
                "9 | REGION_READ | 0400000000000000 07000000 02000000 | config.command",
                "9 | REGION_READ | 0000000000000000 07000000 00010000 | CONFIG+0x0 count=256",
                "9 | REGION_READ | 1400000000000000 04000000 01000000 | BAR4+0x14 count=1",
                "10 | REGION_WRITE | 0400000000000000 07000000 02000000 0601 |"
                        + " config.command ← 0x106 {MEMORY MASTER SERR}",
                "13 | DEVICE_RESET | '' | ''",
                "15 | REGION_WRITE_MULTI | 0100000000000000 1600000000000000 04000000 02000000 0000000000000000 |"
                        + " writes=1",
                "16 | DEVICE_FEATURE | 08000000 02000100 | argsz=8 flags=0x10002"
            })
    void commandIsDecoded(int command, String name, String payload, String fields) {
        TraceDecodedMessage decoded = command(command, payload);

        assertEquals(List.of(name, fields), List.of(decoded.name(), decoded.fields()));
        assertEquals(List.of(), decoded.notes());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            emptyValue = "",
            value = {
                "2 | '' | ''",
                "3 | 18000000 00000000 0010000000000000 0010000000000000 | address=0x1000 size=4 KiB (4096 B)",
                "4 | 10000000 03000000 09000000 05000000 | flags=0x3 {RESET PCI} regions=9 irqs=5",
                "5 | 20000000 03000000 04000000 00000000 0040000000000000 0000000000000000 |"
                        + " BAR4 size=16 KiB (16384 B) flags=0x3 {READ WRITE}",
                "6 | 10000000 00000000 04000000 00000000 | BAR4 count=0",
                "7 | 10000000 09000000 02000000 02000000 | MSIX count=2 flags=0x9 {EVENTFD NORESIZE}",
                "8 | '' | ''",
                "9 | 0600000000000000 07000000 02000000 1000 | config.status → 0x10 {CAP_LIST}",
                "10 | 0400000000000000 07000000 02000000 | config.command",
                "15 | 0300000000000000 | writes=3"
            })
    void replyIsDecoded(int command, String payload, String fields) {
        command(command, "");
        TraceDecodedMessage decoded = reply(command, payload);

        assertEquals(fields, decoded.fields());
        assertEquals(List.of(), decoded.notes());
    }

    @Test
    void versionIsPrintedWithItsCapabilities() {
        String data = HexFormat.of().formatHex("{\"capabilities\": {}}\0".getBytes(StandardCharsets.UTF_8));

        TraceDecodedMessage decoded = new VfioUserTraceDecoder()
                .decode(new MessageSent(
                        0, TraceSide.FRONT_END, bytes(0, VERSION, COMMAND, 0, "0000 0100" + data), List.of()));

        assertEquals("0.1 {\"capabilities\": {}}", decoded.fields());
        assertEquals(List.of(), decoded.notes());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "0x00 | 01000000 | common_cfg.device_feature_select ← 1",
                "0x16 | 0000 | common_cfg.queue_select ← 0",
                "0x14 | 0f | common_cfg.device_status ← 0xf {ACKNOWLEDGE DRIVER DRIVER_OK FEATURES_OK}",
                "0x1a | ffff | common_cfg.queue_msix_vector ← 0xffff (no vector)",
                "0x24 | 01000000 | common_cfg.queue_desc[63:32] ← 0x1",
                "0x20 | 0010000001000000 | common_cfg.queue_desc ← 0x100001000",
                "0x1c | 01000200 | common_cfg.queue_enable common_cfg.queue_notify_off ← 0x20001",
                "0x3000 | 0000 | notify[0] ← vq_index=0",
                "0x3004 | 01000580 | notify[1] ← vq_index=1 next_off=5 next_wrap=1",
                "0x3002 | 0000 | notify+0x2 ← vq_index=0",
                "0x2000 | 00 | BAR4+0x2000 count=1 ← 0x0"
            })
    void registerIsNamedByTheCapabilitiesThatWereRead(String offset, String data, String expected) {
        readConfig();

        TraceDecodedMessage decoded = post(access(BAR4, Integer.decode(offset), data) + data);

        assertEquals(expected, decoded.fields());
        assertTrue(decoded.flags().endsWith("command+no_reply"), decoded.flags());
        assertEquals(List.of(), decoded.notes());
    }

    @Test
    void capabilitiesAreNamed() {
        readConfig();

        assertEquals(
                "msix.message_control ← 0x8000 {ENABLE} table-size=2",
                post(access(CONFIG, 0x42, "0180") + "0180").fields());
        assertEquals(
                "notify_cfg_cap.notify_off_multiplier → 4",
                read(CONFIG, 0x80, "04000000").fields());
        assertEquals(
                "msix_table[1].vector_control ← 0x1",
                post(access(BAR1, 0x1c, "01000000") + "01000000").fields());
        assertEquals(
                "isr_status → 0x1 {QUEUE_INTERRUPT}", read(BAR4, 0x1000, "01").fields());
    }

    /** A driver may read only the registers that it needs. */
    @Test
    void structuresAreKnownWithoutTheirLengths() {
        read(CONFIG, 0x34, "50");
        read(CONFIG, 0x50, "0960");
        read(CONFIG, 0x53, "01");
        read(CONFIG, 0x54, "04");
        read(CONFIG, 0x58, "00000000");
        read(CONFIG, 0x60, "0900");
        read(CONFIG, 0x63, "02");
        read(CONFIG, 0x64, "04");
        read(CONFIG, 0x68, "00300000");

        assertEquals(
                List.of("common_cfg.queue_select ← 0", "notify ← vq_index=0"),
                List.of(
                        post(access(BAR4, 0x16, "0000") + "0000").fields(),
                        post(access(BAR4, 0x3000, "0000") + "0000").fields()));
    }

    @Test
    void capabilityIsNamedBeforeItsIdIsKnown() {
        read(CONFIG, 0x34, "40");

        assertEquals("capability.cap_id → 0x11", read(CONFIG, 0x40, "11").fields());
    }

    @Test
    void featureBitsAreThoseOfTheSelectedWord() {
        readConfig();
        post(access(BAR4, 0, "01000000") + "01000000");

        assertEquals(
                "common_cfg.device_feature → 0x100000000 {VERSION_1}",
                read(BAR4, 4, "01000000").fields());
    }

    @Test
    void writesOfAMultiWriteAreDecoded() {
        readConfig();

        TraceDecodedMessage decoded = command(
                15,
                "0200000000000000" + "1600000000000000 04000000 02000000 0000000000000000"
                        + "1800000000000000 04000000 02000000 4000000000000000");

        assertEquals(List.of("common_cfg.queue_select ← 0", "common_cfg.queue_size ← 64"), decoded.details());
    }

    @Test
    void descriptorsAreCounted() {
        String twoVectors = "14000000 24000000 02000000 00000000 02000000";

        TraceDecodedMessage decoded = command(SET_IRQS, twoVectors, "eventfd 3 count=0", "eventfd 4 count=0");

        assertEquals("MSIX flags=0x24 {DATA_EVENTFD ACTION_TRIGGER} start=0 count=2 fds=2", decoded.fields());
        assertEquals(List.of("fd 0: eventfd 3 count=0", "fd 1: eventfd 4 count=0"), decoded.details());
        assertTrue(command(SET_IRQS, twoVectors).fields().endsWith("count=2 no fds"));
    }

    @Test
    void repliesMatchTheirCommandsByMessageId() {
        command(RESET, "");
        command(DMA_MAP, "20000000 03000000 0000000000000000 0000000000000000 0010000000000000");

        TraceDecodedMessage first = send(TraceSide.BACK_END, 1, RESET, REPLY, "");
        TraceDecodedMessage second = send(TraceSide.BACK_END, 2, DMA_MAP, REPLY, "");

        assertEquals(
                List.of(2, 3),
                List.of(
                        first.repliedTo().orElseThrow().number(),
                        second.repliedTo().orElseThrow().number()));
    }

    @Test
    void commandsOfBothSidesMayHaveTheSameMessageId() {
        command(RESET, "");
        send(TraceSide.BACK_END, 1, DMA_WRITE, COMMAND, "0000004000000000 4000000000000000");

        TraceDecodedMessage ofClient =
                send(TraceSide.FRONT_END, 1, DMA_WRITE, REPLY, "0000004000000000 4000000000000000");

        assertEquals(3, ofClient.repliedTo().orElseThrow().number());
        assertEquals(List.of(), ofClient.notes());
        assertEquals("address=0x40000000 count=64", ofClient.fields());
    }

    @Test
    void errorReplyHasTheNameOfTheErrno() {
        command(RESET, "");

        TraceDecodedMessage decoded = send(TraceSide.BACK_END, bytes(1, RESET, ERROR_REPLY, 22, ""));

        assertEquals("failed: EINVAL (22)", decoded.fields());
        assertEquals("id 1 reply+error", decoded.flags());
    }

    @Test
    void postedWriteExpectsNoReply() {
        post(access(CONFIG, 4, "0000") + "0000");

        assertEquals(List.of(), decoder.unanswered());
    }

    @Test
    void commandWithoutReplyIsUnanswered() {
        command(RESET, "");

        assertEquals(
                List.of("DEVICE_RESET"),
                decoder.unanswered().stream()
                        .map(TracePendingRequests.SentRequest::name)
                        .toList());
    }

    @Test
    void unknownCommandIsNoted() {
        TraceDecodedMessage decoded = command(99, "0102");

        assertEquals("command-99", decoded.name());
        assertEquals(List.of("the document has no such command"), decoded.notes());
        assertTrue(decoded.details().getFirst().startsWith("00000000 01 02"), decoded.details()::toString);
    }

    @Test
    void firstMessageOtherThanVersionIsNoted() {
        TraceDecodedMessage decoded = new VfioUserTraceDecoder()
                .decode(new MessageSent(0, TraceSide.FRONT_END, bytes(0, RESET, COMMAND, 0, ""), List.of()));

        assertEquals(List.of("the first message is not VERSION"), decoded.notes());
    }

    @Test
    void secondVersionIsNoted() {
        assertEquals(
                List.of("VERSION is not the first message"),
                command(VERSION, "00000000").notes());
    }

    @Test
    void commandOfTheOtherSideIsNoted() {
        assertEquals(
                List.of("not a command of a client"),
                command(DMA_WRITE, "0000000000000000 01000000").notes());
    }

    @Test
    void replyWithoutACommandIsNoted() {
        assertEquals(
                List.of("reply without a command that expects one"),
                send(TraceSide.BACK_END, 77, RESET, REPLY, "").notes());
    }

    @Test
    void replyWithTheCommandOfAnotherMessageIsNoted() {
        command(RESET, "");

        assertEquals(
                List.of("the message id is that of DEVICE_RESET"),
                reply(DMA_MAP, "").notes());
    }

    @Test
    void messageIdInUseIsNoted() {
        command(RESET, "");

        assertEquals(
                List.of("the message id is that of a command without a reply"),
                send(TraceSide.FRONT_END, 1, RESET, COMMAND, "").notes());
    }

    @Test
    void accessOutsideOfTheRegionIsNoted() {
        command(GET_REGION_INFO, "20000000 00000000 04000000 00000000 0000000000000000 0000000000000000");
        reply(GET_REGION_INFO, "20000000 03000000 04000000 00000000 0040000000000000 0000000000000000");

        assertEquals(
                List.of("the access is outside of the region, which has 16 KiB (16384 B)"),
                command(REGION_READ, "ffffffffffffffff 04000000 02000000").notes());
    }

    @Test
    void accessOfAnUnknownRegionIsNoted() {
        TraceDecodedMessage decoded = command(REGION_READ, "0000000000000000 ffffffff 02000000");

        assertEquals("region-4294967295+0x0 count=2", decoded.fields());
        assertEquals(List.of("there is no region 4294967295"), decoded.notes());
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 3, 4, 5, 6, 7, 8, 9, 10, 15, 16, 17, 18})
    void shortPayloadIsNotedAndDumped(int command) {
        TraceDecodedMessage decoded = command(command, "01");

        assertEquals(List.of("payload of 1 bytes is invalid for this message"), decoded.notes());
        assertTrue(decoded.details().getFirst().startsWith("00000000 01"), decoded.details()::toString);
    }

    @Test
    void dataShorterThanItsCountIsNoted() {
        assertEquals(
                List.of("payload of 17 bytes is invalid for this message"),
                command(REGION_WRITE, "0000000000000000 07000000 02000000 00").notes());
    }

    @Test
    void multiWriteWithAnOverflowingCountIsNoted() {
        assertEquals(
                List.of("payload of 8 bytes is invalid for this message"),
                command(15, "ffffffffffffffff").notes());
    }

    @Test
    void messageSizeBelowTheHeaderIsNoted() {
        byte[] message = bytes(1, RESET, COMMAND, 0, "");
        message[4] = 15;

        assertEquals(
                List.of("message size 15, less than that of the header"),
                send(TraceSide.FRONT_END, message).notes());
    }

    @Test
    void incompleteHeaderIsNoted() {
        byte[] message = Arrays.copyOf(bytes(1, RESET, COMMAND, 0, ""), 9);

        TraceDecodedMessage decoded = send(TraceSide.FRONT_END, message);

        assertEquals("incomplete", decoded.name());
        assertEquals(List.of("closed within the header: received 9 of 16 bytes"), decoded.notes());
    }

    @Test
    void incompletePayloadIsNoted() {
        byte[] message = Arrays.copyOf(bytes(1, DMA_MAP, COMMAND, 0, "00000000"), 18);

        assertEquals(
                List.of("closed within the payload: received 2 of 4 bytes"),
                send(TraceSide.FRONT_END, message).notes());
    }

    @Test
    void capabilityListWithACycleIsDecoded() {
        byte[] config = new byte[256];
        put(config, 0x34, "40");
        put(config, 0x40, "0940");

        assertEquals(
                "CONFIG+0x0 count=256",
                read(CONFIG, 0, HexFormat.of().formatHex(config)).fields());
    }

    @Test
    void unknownFlagsArePrinted() {
        assertEquals(
                "id 1 command+0x102",
                send(TraceSide.FRONT_END, 1, RESET, 0x102, "").flags());
    }
}
