package org.vhostuserrng.cli.trace;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import net.openhft.chronicle.bytes.Bytes;
import org.vhostuserrng.cli.trace.TraceRecord.MessageSent;
import org.vhostuserrng.frontend.FrontendMessageType;
import org.vhostuserrng.frontend.FrontendVhostUserConstants;
import org.vhostuserrng.frontend.ProtocolFeatureBit;
import org.vhostuserrng.frontend.VirtioFeatureBit;

/**
 * Decodes the messages of a vhost-user session. Tracks the state that decoding depends on: negotiated features and
 * pending requests.
 */
final class VhostUserTraceDecoder implements TraceMessageDecoder {
    private final TracePendingRequests requests = new TracePendingRequests();
    private int count;
    private boolean packed;
    private boolean logShmfd;

    @Override
    public TraceDecodedMessage decode(MessageSent message) {
        if (message.bytes().length < FrontendVhostUserConstants.HEADER_SIZE) {
            return decodeTruncated(message);
        }
        VhostUserTraceHeader header = VhostUserTraceHeader.of(message.bytes());
        byte[] payload =
                Arrays.copyOfRange(message.bytes(), FrontendVhostUserConstants.HEADER_SIZE, message.bytes().length);
        List<String> notes = notes(message, header, payload.length);
        return message.from() == TraceSide.FRONT_END
                ? request(message, header, payload, notes)
                : reply(message, header, payload, notes);
    }

    @Override
    public List<TracePendingRequests.SentRequest> unanswered() {
        return requests.unanswered();
    }

    private static TraceDecodedMessage decodeTruncated(MessageSent message) {
        String note = "closed within the header: received " + message.bytes().length + " of "
                + FrontendVhostUserConstants.HEADER_SIZE + " bytes";
        TraceDecodedFields fields = new TraceDecodedFields();
        HexDump.of(message.bytes()).forEach(fields::detailLine);
        return decoded(message, 0, "incomplete", "", fields, List.of(note), Optional.empty());
    }

    private static List<String> notes(MessageSent message, VhostUserTraceHeader header, int length) {
        List<String> notes = new ArrayList<>();
        if (!header.hasSupportedVersion()) {
            notes.add("the protocol version is not " + FrontendVhostUserConstants.FLAG_VERSION);
        }
        if (header.isReply() != (message.from() == TraceSide.BACK_END)) {
            notes.add(
                    header.isReply()
                            ? "the front-end sets the reply flag"
                            : "the back-end does not set the reply flag");
        }
        if (header.size() > MessageSent.MAX_CAPTURED_PAYLOAD) {
            notes.add("payload of " + header.size() + " bytes, forwarded without decoding");
        } else if (header.size() != length) {
            notes.add("closed within the payload: received " + length + " of " + header.size() + " bytes");
        }
        message.fds().stream()
                .filter(descriptor -> descriptor.offset() != 0)
                .forEach(late -> notes.add("file descriptor sent with byte " + late.offset() + " instead of byte 0"));
        return notes;
    }

    private TraceDecodedMessage request(
            MessageSent message, VhostUserTraceHeader header, byte[] payload, List<String> notes) {
        count++;
        Optional<FrontendMessageType> type = FrontendMessageType.byId(header.request());
        boolean own = type.filter(this::hasMandatoryReply).isPresent();
        requests.add(new TracePendingRequests.SentRequest(
                count, header.request(), header.name(), message.nanos(), own || header.needsReply()));
        VhostUserPayloadDecoder form = type.map(known -> VhostUserPayloadDecoderTable.requestDecoder(known, packed))
                .orElse(VhostUserPayloadDecoder.HEX_DUMP);
        TraceDecodedFields fields = decodePayload(form, payload, notes);
        type.ifPresent(known -> trackNegotiation(known, payload));
        return decoded(message, count, header.name(), header.flagsText(), fields, notes, Optional.empty());
    }

    private boolean hasMandatoryReply(FrontendMessageType type) {
        return type == FrontendMessageType.SET_LOG_BASE
                ? logShmfd
                : VhostUserPayloadDecoderTable.mandatoryReplyDecoder(type, packed)
                        .isPresent();
    }

    private void trackNegotiation(FrontendMessageType type, byte[] payload) {
        if (payload.length != Long.BYTES) {
            return;
        }
        long word = Bytes.wrapForRead(payload).readLong();
        if (type == FrontendMessageType.SET_FEATURES) {
            packed = (word & VirtioFeatureBit.RING_PACKED.mask()) != 0;
        } else if (type == FrontendMessageType.SET_PROTOCOL_FEATURES) {
            logShmfd = (word & ProtocolFeatureBit.LOG_SHMFD.mask()) != 0;
        }
    }

    private TraceDecodedMessage reply(
            MessageSent message, VhostUserTraceHeader header, byte[] payload, List<String> notes) {
        VhostUserPayloadDecoder form = FrontendMessageType.byId(header.request())
                .map(type -> VhostUserPayloadDecoderTable.replyDecoder(type, packed, payload.length))
                .orElse(
                        payload.length == Long.BYTES
                                ? VhostUserPayloadDecoder.ACKNOWLEDGEMENT
                                : VhostUserPayloadDecoder.HEX_DUMP);
        TraceDecodedFields fields = decodePayload(form, payload, notes);
        Optional<TraceDecodedMessage.RepliedRequest> answered = requests.matchReply(header.request())
                .map(sent -> new TraceDecodedMessage.RepliedRequest(sent.number(), message.nanos() - sent.nanos()));
        if (answered.isEmpty()) {
            notes.add("reply without a request");
        }
        return decoded(message, 0, header.name(), header.flagsText(), fields, notes, answered);
    }

    private static TraceDecodedFields decodePayload(VhostUserPayloadDecoder form, byte[] payload, List<String> notes) {
        TraceDecodedFields fields = new TraceDecodedFields();
        if (form.decode(Bytes.wrapForRead(payload), fields)) {
            return fields;
        }
        // If the payload is incomplete, there is a note already.
        if (notes.isEmpty()) {
            notes.add("payload of " + payload.length + " bytes is invalid for this message");
        }
        TraceDecodedFields undecoded = new TraceDecodedFields();
        HexDump.of(payload).forEach(undecoded::detailLine);
        return undecoded;
    }

    private static TraceDecodedMessage decoded(
            MessageSent message,
            int number,
            String name,
            String flags,
            TraceDecodedFields fields,
            List<String> notes,
            Optional<TraceDecodedMessage.RepliedRequest> answered) {
        fields.addDescriptors(message.fds());
        return new TraceDecodedMessage(
                TraceProtocol.VHOST_USER,
                message.nanos(),
                message.from(),
                number,
                name,
                flags,
                fields.text(),
                fields.detailLines(),
                List.copyOf(notes),
                answered);
    }
}
