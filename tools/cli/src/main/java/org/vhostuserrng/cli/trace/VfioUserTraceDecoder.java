package org.vhostuserrng.cli.trace;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import net.openhft.chronicle.bytes.Bytes;
import org.vhostuserrng.cli.trace.TracePendingRequests.SentRequest;
import org.vhostuserrng.cli.trace.TraceRecord.MessageSent;

/** Decodes the messages of a vfio-user session. Matches each reply with its command by the message id. */
final class VfioUserTraceDecoder implements TraceMessageDecoder {
    private final VfioUserPayloadDecoder payloads = new VfioUserPayloadDecoder();
    private final VfioUserPendingCommands commands = new VfioUserPendingCommands();
    private int count;

    @Override
    public TraceDecodedMessage decode(MessageSent message) {
        if (message.bytes().length < VfioUserTraceHeader.SIZE) {
            return decodeTruncated(message);
        }
        VfioUserTraceHeader header = VfioUserTraceHeader.of(message.bytes());
        byte[] payload = Arrays.copyOfRange(message.bytes(), VfioUserTraceHeader.SIZE, message.bytes().length);
        List<String> notes = headerNotes(message, header, payload.length);
        return header.isReply() ? reply(message, header, payload, notes) : command(message, header, payload, notes);
    }

    @Override
    public List<SentRequest> unanswered() {
        return commands.unanswered();
    }

    private static TraceDecodedMessage decodeTruncated(MessageSent message) {
        String note = "closed within the header: received " + message.bytes().length + " of " + VfioUserTraceHeader.SIZE
                + " bytes";
        TraceDecodedFields fields = new TraceDecodedFields();
        HexDump.of(message.bytes()).forEach(fields::detailLine);
        return decoded(message, 0, "incomplete", "", fields, List.of(note), Optional.empty());
    }

    private static List<String> headerNotes(MessageSent message, VfioUserTraceHeader header, int length) {
        List<String> notes = new ArrayList<>();
        if (header.size() < VfioUserTraceHeader.SIZE) {
            notes.add("message size " + header.size() + ", less than that of the header");
        } else if (header.payloadSize() > MessageSent.MAX_CAPTURED_PAYLOAD) {
            notes.add("payload of " + header.payloadSize() + " bytes, forwarded without decoding");
        } else if (header.payloadSize() != length && !isDma(header)) {
            notes.add("closed within the payload: received " + length + " of " + header.payloadSize() + " bytes");
        }
        if (!header.hasKnownType()) {
            notes.add("the message type is neither command nor reply");
        }
        if (header.hasErrorFlag() && !header.isReply()) {
            notes.add("a command with the error flag");
        }
        message.fds().stream()
                .filter(descriptor -> descriptor.offset() != 0)
                .forEach(late -> notes.add("file descriptor sent with byte " + late.offset() + " instead of byte 0"));
        return notes;
    }

    private static boolean isDma(VfioUserTraceHeader header) {
        return VfioUserTraceCommand.byId(header.command())
                .filter(VfioUserTraceCommand::isOfServer)
                .isPresent();
    }

    private TraceDecodedMessage command(
            MessageSent message, VfioUserTraceHeader header, byte[] payload, List<String> notes) {
        count++;
        Optional<VfioUserTraceCommand> command = VfioUserTraceCommand.byId(header.command());
        checkSender(message.from(), command, notes);
        if (!header.isPosted()) {
            SentRequest sent = new SentRequest(count, header.command(), header.name(), message.nanos(), true);
            if (!commands.add(message.from(), header.messageId(), sent)) {
                notes.add("the message id is that of a command without a reply");
            }
        }
        TraceDecodedFields fields = decodePayload(command, payload, false, notes);
        if (command.filter(VfioUserTraceCommand.DEVICE_SET_IRQS::equals).isPresent()
                && message.fds().isEmpty()
                && VfioUserPayloadDecoder.concernsEventfds(payload)) {
            fields.value("no fds");
        }
        return decoded(message, count, header.name(), header.flagsText(), fields, notes, Optional.empty());
    }

    private void checkSender(TraceSide from, Optional<VfioUserTraceCommand> command, List<String> notes) {
        if (command.isEmpty()) {
            notes.add("the document has no such command");
            return;
        }
        if (command.get().isOfServer() != (from == TraceSide.BACK_END)) {
            notes.add("not a command of a " + TraceProtocol.VFIO_USER.sideName(from));
        }
        if ((command.get() == VfioUserTraceCommand.VERSION) != (count == 1)) {
            notes.add(count == 1 ? "the first message is not VERSION" : "VERSION is not the first message");
        }
    }

    private TraceDecodedMessage reply(
            MessageSent message, VfioUserTraceHeader header, byte[] payload, List<String> notes) {
        Optional<SentRequest> sent = commands.matchReply(message.from(), header.messageId());
        if (sent.isEmpty()) {
            notes.add("reply without a command that expects one");
        } else if (sent.get().request() != header.command()) {
            notes.add("the message id is that of " + sent.get().name());
        }
        TraceDecodedFields fields = header.hasErrorFlag()
                ? failure(header, payload)
                : decodePayload(VfioUserTraceCommand.byId(header.command()), payload, true, notes);
        Optional<TraceDecodedMessage.RepliedRequest> answered =
                sent.map(each -> new TraceDecodedMessage.RepliedRequest(each.number(), message.nanos() - each.nanos()));
        return decoded(message, 0, header.name(), header.flagsText(), fields, notes, answered);
    }

    private static TraceDecodedFields failure(VfioUserTraceHeader header, byte[] payload) {
        TraceDecodedFields fields = new TraceDecodedFields().value("failed: " + header.errorText());
        HexDump.of(payload).forEach(fields::detailLine);
        return fields;
    }

    private TraceDecodedFields decodePayload(
            Optional<VfioUserTraceCommand> command, byte[] payload, boolean reply, List<String> notes) {
        TraceDecodedFields fields = new TraceDecodedFields();
        boolean complete = notes.isEmpty();
        Bytes<byte[]> bytes = Bytes.wrapForRead(payload);
        if (command.isPresent()
                && (reply
                        ? payloads.decodeReply(command.get(), bytes, fields, notes)
                        : payloads.decodeCommand(command.get(), bytes, fields, notes))) {
            return fields;
        }
        // If the payload is incomplete, there is a note already.
        if (complete) {
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
                TraceProtocol.VFIO_USER,
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
