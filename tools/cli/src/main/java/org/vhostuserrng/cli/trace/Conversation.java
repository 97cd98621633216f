package org.vhostuserrng.cli.trace;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import net.openhft.chronicle.bytes.Bytes;
import org.vhostuserrng.cli.trace.TraceEvent.Message;
import org.vhostuserrng.cli.trace.TraceEvent.PassedDescriptor;
import org.vhostuserrng.frontend.FrontendMessageType;
import org.vhostuserrng.frontend.ProtocolFeature;
import org.vhostuserrng.frontend.VhostUser;
import org.vhostuserrng.frontend.VirtioFeature;

/** One session as far as it is needed to understand the next message: what was negotiated, what was asked. */
final class Conversation {
    private final SentRequests requests = new SentRequests();
    private int count;
    private boolean packed;
    private boolean logShmfd;

    /** Puts a message into words and remembers what later ones depend on. */
    DecodedMessage understand(Message message) {
        if (message.bytes().length < VhostUser.HEADER_SIZE) {
            return fragment(message);
        }
        Header header = Header.of(message.bytes());
        byte[] payload = Arrays.copyOfRange(message.bytes(), VhostUser.HEADER_SIZE, message.bytes().length);
        List<String> notes = notes(message, header, payload.length);
        return message.from() == Side.FRONT_END
                ? request(message, header, payload, notes)
                : reply(message, header, payload, notes);
    }

    /** The requests that the back-end owes a reply. */
    List<SentRequests.Sent> unanswered() {
        return requests.unanswered();
    }

    private static DecodedMessage fragment(Message message) {
        String note =
                "closed within the header: " + message.bytes().length + " of " + VhostUser.HEADER_SIZE + " bytes came";
        Fields fields = new Fields();
        HexDump.of(message.bytes()).forEach(fields::line);
        return decoded(message, 0, "incomplete", "", fields, List.of(note), Optional.empty());
    }

    private static List<String> notes(Message message, Header header, int length) {
        List<String> notes = new ArrayList<>();
        if (!header.hasRightVersion()) {
            notes.add("the version is not " + VhostUser.FLAG_VERSION);
        }
        if (header.isReply() != (message.from() == Side.BACK_END)) {
            notes.add(header.isReply() ? "the front-end sets the reply flag" : "the back-end lacks the reply flag");
        }
        if (header.size() > Message.MOST_PAYLOAD) {
            notes.add("payload of " + header.size() + " bytes, passed on without a look at it");
        } else if (header.size() != length) {
            notes.add("closed within the payload: " + length + " of " + header.size() + " bytes came");
        }
        message.descriptors().stream()
                .filter(descriptor -> descriptor.offset() != 0)
                .forEach(late -> notes.add("a descriptor came with byte " + late.offset() + " and not with the first"));
        return notes;
    }

    private DecodedMessage request(Message message, Header header, byte[] payload, List<String> notes) {
        count++;
        Optional<FrontendMessageType> type = FrontendMessageType.byId(header.request());
        boolean own = type.filter(this::hasOwnReply).isPresent();
        requests.add(new SentRequests.Sent(
                count, header.request(), header.name(), message.nanos(), own || header.needsReply()));
        PayloadForm form =
                type.map(known -> MessageForms.request(known, packed)).orElse(PayloadForm.OPAQUE);
        Fields fields = read(form, payload, notes);
        type.ifPresent(known -> remember(known, payload));
        return decoded(message, count, header.name(), header.flagsText(), fields, notes, Optional.empty());
    }

    private boolean hasOwnReply(FrontendMessageType type) {
        return type == FrontendMessageType.SET_LOG_BASE
                ? logShmfd
                : MessageForms.ownReply(type, packed).isPresent();
    }

    private void remember(FrontendMessageType type, byte[] payload) {
        if (payload.length != Long.BYTES) {
            return;
        }
        long word = Bytes.wrapForRead(payload).readLong();
        if (type == FrontendMessageType.SET_FEATURES) {
            packed = (word & VirtioFeature.RING_PACKED.mask()) != 0;
        } else if (type == FrontendMessageType.SET_PROTOCOL_FEATURES) {
            logShmfd = (word & ProtocolFeature.LOG_SHMFD.mask()) != 0;
        }
    }

    private DecodedMessage reply(Message message, Header header, byte[] payload, List<String> notes) {
        PayloadForm form = FrontendMessageType.byId(header.request())
                .map(type -> MessageForms.reply(type, packed, payload.length))
                .orElse(payload.length == Long.BYTES ? PayloadForm.ACKNOWLEDGEMENT : PayloadForm.OPAQUE);
        Fields fields = read(form, payload, notes);
        Optional<DecodedMessage.Answered> answered = requests.take(header.request())
                .map(sent -> new DecodedMessage.Answered(sent.number(), message.nanos() - sent.nanos()));
        if (answered.isEmpty()) {
            notes.add("answers no request");
        }
        return decoded(message, 0, header.name(), header.flagsText(), fields, notes, answered);
    }

    private static Fields read(PayloadForm form, byte[] payload, List<String> notes) {
        Fields fields = new Fields();
        if (form.read(Bytes.wrapForRead(payload), fields)) {
            return fields;
        }
        // Said already where the payload did not come whole.
        if (notes.isEmpty()) {
            notes.add("payload of " + payload.length + " bytes is none of this message");
        }
        Fields undecoded = new Fields();
        HexDump.of(payload).forEach(undecoded::line);
        return undecoded;
    }

    private static DecodedMessage decoded(
            Message message,
            int number,
            String name,
            String flags,
            Fields fields,
            List<String> notes,
            Optional<DecodedMessage.Answered> answered) {
        addDescriptors(fields, message.descriptors());
        return new DecodedMessage(
                message.nanos(),
                message.from(),
                number,
                name,
                flags,
                fields.text(),
                List.copyOf(fields.lines()),
                List.copyOf(notes),
                answered);
    }

    /** One descriptor stands on the message's line, each of a memory table on its region's, others on their own. */
    private static void addDescriptors(Fields fields, List<PassedDescriptor> descriptors) {
        List<String> lines = fields.lines();
        if (!descriptors.isEmpty() && lines.size() == descriptors.size()) {
            for (int i = 0; i < lines.size(); i++) {
                lines.set(i, lines.get(i) + "  fd: " + descriptors.get(i).description());
            }
        } else if (descriptors.size() == 1) {
            fields.word("fd: " + descriptors.getFirst().description());
        } else if (!descriptors.isEmpty()) {
            fields.add("fds", descriptors.size());
            for (int i = 0; i < descriptors.size(); i++) {
                fields.line("fd " + i + ": " + descriptors.get(i).description());
            }
        }
    }
}
