package org.vhostuserrng.cli.trace;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.vhostuserrng.cli.trace.TraceRecord.MessageSent;
import org.vhostuserrng.cli.trace.TraceRecord.PassedFd;

/** Tests the decoding of payloads that were written by hand from the vhost-user document, in little-endian order. */
class VhostUserTraceDecoderTest {
    private static final int V1 = 0x1;
    private static final int REPLY = 0x5;
    private static final int NEED_REPLY = 0x9;
    private static final int GET_FEATURES = 1;
    private static final int SET_FEATURES = 2;
    private static final int SET_MEM_TABLE = 5;
    private static final int SET_VRING_NUM = 8;
    private static final int SET_VRING_CALL = 13;
    private static final String CALL_OF_VRING_0 = "0000000000000000";
    private static final String PACKED = "00 00 00 00 04 00 00 00";
    private static final String TWO_REGIONS = "02000000 00000000"
            + "0000000000000000 0010000000000000 00001000007f0000 0000000000000000"
            + "0000000001000000 0000004000000000 00002000007f0000 0020000000000000";

    private final VhostUserTraceDecoder decoder = new VhostUserTraceDecoder();

    private static byte[] bytes(int request, int flags, String payload) {
        byte[] body = HexFormat.of().parseHex(payload.replace(" ", ""));
        return ByteBuffer.allocate(12 + body.length)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(request)
                .putInt(flags)
                .putInt(body.length)
                .put(body)
                .array();
    }

    private static MessageSent message(long nanos, TraceSide from, byte[] bytes, String... fds) {
        List<PassedFd> passed =
                Stream.of(fds).map(description -> new PassedFd(0, description)).toList();
        return new MessageSent(nanos, from, bytes, passed);
    }

    private TraceDecodedMessage request(int request, int flags, String payload, String... fds) {
        return decoder.decode(message(0, TraceSide.FRONT_END, bytes(request, flags, payload), fds));
    }

    private TraceDecodedMessage reply(int request, String payload) {
        return decoder.decode(message(0, TraceSide.BACK_END, bytes(request, REPLY, payload)));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            nullValues = "-",
            emptyValue = "",
            value = {
                "1 | GET_FEATURES | '' | ''",
                "2 | SET_FEATURES | 00 00 00 70 01 00 00 00 | features=0x170000000 {INDIRECT_DESC EVENT_IDX"
                        + " PROTOCOL_FEATURES VERSION_1}",
                "3 | SET_OWNER | '' | ''",
                "4 | RESET_OWNER | '' | ''",
                "5 | SET_MEM_TABLE | 00000000 00000000 | regions=0 total=0 B",
                "6 | SET_LOG_BASE | 0000100000000000 0010000000000000 | log-size=1 MiB (1048576 B) log-offset=0x1000",
                "7 | SET_LOG_FD | '' | ''",
                "8 | SET_VRING_NUM | 01000000 00040000 | index=1 num=1024 descriptors",
                "9 | SET_VRING_ADDR | 00000000 01000000 0010000000000000 0020000000000000 0030000000000000"
                        + " 0040000000000000 | index=0 flags=0x1 {LOG} descriptor=0x1000 used=0x2000 available=0x3000"
                        + " log=0x4000",
                "10 | SET_VRING_BASE | 00000000 07000000 | index=0 available=7",
                "11 | GET_VRING_BASE | 00000000 00000000 | index=0 num=0",
                "12 | SET_VRING_KICK | 0201000000000000 | index=2 NOFD",
                "13 | SET_VRING_CALL | 0000000000000000 | index=0",
                "14 | SET_VRING_ERR | 0002000000000000 | index=0 unknown-bits=0x200",
                "15 | GET_PROTOCOL_FEATURES | '' | ''",
                "16 | SET_PROTOCOL_FEATURES | 0900000000000080 | protocol-features=0x8000000000000009 {MQ REPLY_ACK"
                        + " bit-63}",
                "17 | GET_QUEUE_NUM | '' | ''",
                "18 | SET_VRING_ENABLE | 00000000 01000000 | index=0 num=1 (enable)",
                "19 | SEND_RARP | 525400123456 0000 | mac=52:54:00:12:34:56",
                "20 | NET_SET_MTU | dc05000000000000 | mtu=1500 B",
                "21 | SET_BACKEND_REQ_FD | '' | ''",
                "22 | IOTLB_MSG | 0010000000000000 0020000000000000 00f0ff7f00000000 03 02 000000000000 |"
                        + " iova=0x1000 size=8 KiB (8192 B) user-address=0x7ffff000 permissions=3 (read/write)"
                        + " type=2 (update)",
                "23 | SET_VRING_ENDIAN | 00000000 01000000 | index=0 num=1 (big-endian)",
                "24 | GET_CONFIG | 04000000 02000000 00000000 | offset=4 size=2 B flags=0 (writable fields)",
                "25 | SET_CONFIG | 00000000 00000000 01000000 | offset=0 size=0 B flags=1 (live migration)",
                "27 | CLOSE_CRYPTO_SESSION | 0500000000000000 | session-id=5",
                "28 | POSTCOPY_ADVISE | '' | ''",
                "29 | POSTCOPY_LISTEN | '' | ''",
                "30 | POSTCOPY_END | '' | ''",
                "31 | GET_INFLIGHT_FD | 0000000000000000 0000000000000000 0100 0004 | mmap-size=0 B mmap-offset=0x0"
                        + " num-queues=1 queue-size=1024 descriptors",
                "32 | SET_INFLIGHT_FD | 0010000000000000 0020000000000000 0200 8000 00000000 | mmap-size=4 KiB"
                        + " (4096 B) mmap-offset=0x2000 num-queues=2 queue-size=128 descriptors",
                "33 | GPU_SET_SOCKET | '' | ''",
                "34 | RESET_DEVICE | '' | ''",
                "35 | VRING_KICK | 01000000 00000000 | index=1 num=0",
                "36 | GET_MAX_MEM_SLOTS | '' | ''",
                "37 | ADD_MEM_REG | 0000000000000000 0000004000000000 0000008000000000 00001000007f0000"
                        + " 0000000000000000 | guest-address=0x40000000 size=2 GiB (2147483648 B)"
                        + " user-address=0x7f0000100000 mmap-offset=0x0",
                "38 | REM_MEM_REG | 0000000000000000 0000000000000000 0010000000000000 0000000000000000"
                        + " 0000000000000000 01000000 02000000 | guest-address=0x0 size=4 KiB (4096 B)"
                        + " user-address=0x0 mmap-offset=0x0 xen-mmap-flags=0x1 domid=2",
                "39 | SET_STATUS | 0b00000000000000 | status=0xb {ACKNOWLEDGE DRIVER FEATURES_OK}",
                "40 | GET_STATUS | '' | ''",
                "41 | GET_SHARED_OBJECT | 00112233445566778899aabbccddeeff | uuid=00112233445566778899aabbccddeeff",
                "42 | SET_DEVICE_STATE_FD | 01000000 00000000 | direction=1 (load) phase=0 (stopped)",
                "43 | CHECK_DEVICE_STATE | '' | ''",
                "44 | GET_SHMEM_CONFIG | '' | ''",
                "45 | GET_VRING_BASE_SKIP_DRAIN | 00000000 00000000 | index=0 num=0"
            })
    void requestIsDecoded(int request, String name, String payload, String fields) {
        TraceDecodedMessage decoded = request(request, V1, payload);

        assertEquals(List.of(name, fields), List.of(decoded.name(), decoded.fields()));
        assertEquals(List.of(), decoded.notes());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            emptyValue = "",
            value = {
                "1 | '' | 0000000001000000 | features=0x100000000 {VERSION_1}",
                "15 | '' | 0800000000000000 | protocol-features=0x8 {REPLY_ACK}",
                "17 | '' | 0100000000000000 | queues=1",
                "36 | '' | fd01000000000000 | slots=509",
                "40 | '' | 0800000000000000 | status=0x8 {FEATURES_OK}",
                "11 | 00000000 00000000 | 00000000 ffff0000 | index=0 available=65535",
                "24 | 00000000 00000000 00000000 | '' | failed",
                "31 | 0000000000000000 0000000000000000 0100 0004 | 0010000000000000 0000000000000000 0100 0004 |"
                        + " mmap-size=4 KiB (4096 B) mmap-offset=0x0 num-queues=1 queue-size=1024 descriptors",
                "42 | 00000000 00000000 | 0001000000000000 | ok NOFD",
                "42 | 00000000 00000000 | 0101000000000000 | failed (1) NOFD",
                "43 | '' | 0100000000000000 | failed (1)",
                "44 | '' | 01000000 00000000 0000100000000000 | regions=1",
                "41 | 00112233445566778899aabbccddeeff | '' | ''",
                "30 | '' | 0000000000000000 | ok",
                "22 | 0010000000000000 0020000000000000 00f0ff7f00000000 03 02 000000000000 | 0000000000000000 | ok"
            })
    void replyIsDecodedByTheTypeOfItsRequest(int request, String asked, String answer, String fields) {
        request(request, V1, asked);

        TraceDecodedMessage decoded = reply(request, answer);

        assertEquals(fields, decoded.fields());
        assertEquals(List.of(), decoded.notes());
    }

    @ParameterizedTest
    @CsvSource({"0000000000000000, ok", "0100000000000000, failed (1)"})
    void acknowledgementIsOkOrFailed(String answer, String fields) {
        request(SET_MEM_TABLE, NEED_REPLY, "00000000 00000000");

        assertEquals(fields, reply(SET_MEM_TABLE, answer).fields());
    }

    @Test
    void replyHasTheTimeSinceItsRequest() {
        decoder.decode(message(1_000, TraceSide.FRONT_END, bytes(GET_FEATURES, V1, "")));

        TraceDecodedMessage reply =
                decoder.decode(message(5_000, TraceSide.BACK_END, bytes(GET_FEATURES, REPLY, CALL_OF_VRING_0)));

        assertEquals(Optional.of(new TraceDecodedMessage.RepliedRequest(1, 4_000)), reply.repliedTo());
    }

    @Test
    void repliesAreMatchedWithRequestsInOrder() {
        request(SET_VRING_CALL, V1, CALL_OF_VRING_0);
        request(SET_VRING_CALL, NEED_REPLY, CALL_OF_VRING_0);
        request(SET_VRING_CALL, NEED_REPLY, CALL_OF_VRING_0);

        List<Integer> answered = IntStream.range(0, 3)
                .mapToObj(i -> reply(SET_VRING_CALL, CALL_OF_VRING_0))
                .map(reply -> reply.repliedTo().orElseThrow().number())
                .toList();

        assertEquals(List.of(2, 3, 1), answered);
    }

    @Test
    void requestWithoutAnExpectedReplyIsUnanswered() {
        request(GET_FEATURES, V1, "");
        request(SET_VRING_CALL, V1, CALL_OF_VRING_0);
        request(SET_VRING_NUM, NEED_REPLY, "00000000 00010000");

        assertEquals(
                List.of("GET_FEATURES", "SET_VRING_NUM"),
                decoder.unanswered().stream()
                        .map(TracePendingRequests.SentRequest::name)
                        .toList());
    }

    @Test
    void setLogBaseExpectsAReplyOnlyWithLogShmfd() {
        String log = "0000100000000000 0000000000000000";
        request(6, V1, log);
        int without = decoder.unanswered().size();
        request(16, V1, "02 00 00 00 00 00 00 00");
        request(6, V1, log);

        assertEquals(List.of(0, 1), List.of(without, decoder.unanswered().size()));
    }

    @Test
    void vringBaseOfAPackedRingHasWrapCounters() {
        request(SET_FEATURES, V1, PACKED);

        TraceDecodedMessage decoded = request(10, V1, "00000000 0580 0700");

        assertEquals("index=0 available=5 available-wrap=1 used=7 used-wrap=0", decoded.fields());
    }

    @Test
    void eachRegionHasALineWithItsFd() {
        TraceDecodedMessage decoded = request(SET_MEM_TABLE, V1, TWO_REGIONS, "memfd one", "memfd other");

        assertEquals("regions=2 total=1 GiB (1073745920 B)", decoded.fields());
        assertEquals(
                List.of(
                        "region 0  guest-address=0x0 size=4 KiB (4096 B) user-address=0x7f0000100000 mmap-offset=0x0"
                                + "  fd: memfd one",
                        "region 1  guest-address=0x100000000 size=1 GiB (1073741824 B) user-address=0x7f0000200000"
                                + " mmap-offset=0x2000  fd: memfd other"),
                decoded.details());
    }

    @Test
    void postcopyReplyRepeatsTheRegions() {
        request(SET_MEM_TABLE, NEED_REPLY, TWO_REGIONS, "memfd one", "memfd other");

        assertEquals(2, reply(SET_MEM_TABLE, TWO_REGIONS).details().size());
    }

    @Test
    void singleFdIsOnTheLineOfTheMessage() {
        assertEquals(
                "index=0 fd: eventfd 7 count=0",
                request(SET_VRING_CALL, V1, CALL_OF_VRING_0, "eventfd 7 count=0")
                        .fields());
    }

    @Test
    void severalFdsHaveLinesOfTheirOwn() {
        TraceDecodedMessage decoded = request(SET_VRING_CALL, V1, CALL_OF_VRING_0, "one", "other");

        assertEquals("index=0 fds=2", decoded.fields());
        assertEquals(List.of("fd 0: one", "fd 1: other"), decoded.details());
    }

    @Test
    void unknownRequestIsDumped() {
        TraceDecodedMessage decoded = request(4711, V1, "68656c6c6f");

        assertEquals("request-4711", decoded.name());
        assertTrue(decoded.details().getFirst().contains("68 65 6c 6c 6f"), decoded::toString);
        assertTrue(decoded.details().getFirst().contains("hello"), decoded::toString);
    }

    @Test
    void cryptoSessionIsDumped() {
        TraceDecodedMessage decoded = request(26, V1, "0100000000000000");

        assertEquals("CREATE_CRYPTO_SESSION", decoded.name());
        assertTrue(decoded.details().getFirst().contains("01 00 00 00 00 00 00 00"), decoded::toString);
    }

    @Test
    void longHexDumpIsTruncated() {
        TraceDecodedMessage decoded = request(4711, V1, "00".repeat(600));

        assertEquals("... 88 more bytes", decoded.details().getLast());
    }

    @ParameterizedTest
    @CsvSource({"1, v1", "5, v1+reply", "9, v1+need_reply", "0, v0", "65553, v1+0x10010"})
    void flagsAreNamed(int flags, String text) {
        assertEquals(text, request(GET_FEATURES, flags, "").flags());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            emptyValue = "",
            value = {
                "1 | 0 | '' | the protocol version is not 1",
                "1 | 5 | '' | the front-end sets the reply flag",
                "8 | 1 | 00000000 | payload of 4 bytes is invalid for this message",
                "5 | 1 | 03000000 00000000 | payload of 8 bytes is invalid for this message",
                "5 | 1 | ffffffff 00000000 0000 | payload of 10 bytes is invalid for this message",
                "5 | 1 | '' | payload of 0 bytes is invalid for this message",
                "37 | 1 | 0000000000000000 | payload of 8 bytes is invalid for this message",
                "22 | 1 | 00 | payload of 1 bytes is invalid for this message",
                "24 | 1 | 00 | payload of 1 bytes is invalid for this message",
                "31 | 1 | 00 | payload of 1 bytes is invalid for this message",
                "1 | 1 | 00 | payload of 1 bytes is invalid for this message"
            })
    void protocolViolationIsNoted(int request, int flags, String payload, String note) {
        assertEquals(List.of(note), request(request, flags, payload).notes());
    }

    @Test
    void replyWithoutRequestIsNoted() {
        assertEquals(
                List.of("reply without a request"),
                reply(GET_FEATURES, CALL_OF_VRING_0).notes());
    }

    @Test
    void messageThatEndsWithinItsPayloadIsNoted() {
        byte[] whole = bytes(SET_VRING_NUM, V1, "00000000 00010000");

        TraceDecodedMessage decoded = decoder.decode(message(0, TraceSide.FRONT_END, Arrays.copyOf(whole, 15)));

        assertEquals(List.of("closed within the payload: received 3 of 8 bytes"), decoded.notes());
    }

    @Test
    void messageThatEndsWithinItsHeaderIsNoted() {
        byte[] whole = bytes(SET_VRING_NUM, V1, "00000000 00010000");

        TraceDecodedMessage decoded = decoder.decode(message(0, TraceSide.FRONT_END, Arrays.copyOf(whole, 5)));

        assertEquals(List.of("closed within the header: received 5 of 12 bytes"), decoded.notes());
    }

    @Test
    void lateFdIsNoted() {
        MessageSent message = new MessageSent(
                0,
                TraceSide.FRONT_END,
                bytes(SET_VRING_CALL, V1, CALL_OF_VRING_0),
                List.of(new PassedFd(12, "eventfd")));

        assertEquals(
                List.of("file descriptor sent with byte 12 instead of byte 0"),
                decoder.decode(message).notes());
    }

    @Test
    void numberOfPendingRequestsIsBounded() {
        IntStream.range(0, 10_000).forEach(i -> request(GET_FEATURES, V1, ""));

        assertFalse(decoder.unanswered().size() > 256);
    }
}
