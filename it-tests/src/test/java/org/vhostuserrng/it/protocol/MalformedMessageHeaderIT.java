package org.vhostuserrng.it.protocol;

import static org.vhostuserrng.it.fixture.frontend.MalformedMessage.ExpectedOutcome.NACK_OR_CLOSED;
import static org.vhostuserrng.it.fixture.frontend.MalformedMessage.ExpectedOutcome.SESSION_CLOSED;

import java.util.stream.Stream;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;
import org.vhostuserrng.frontend.FrontendMessageType;
import org.vhostuserrng.frontend.FrontendPayloadEncoder;
import org.vhostuserrng.it.fixture.frontend.CraftedFrontendMessage;
import org.vhostuserrng.it.fixture.frontend.MalformedMessage;
import org.vhostuserrng.it.fixture.frontend.MalformedMessage.ExpectedOutcome;
import org.vhostuserrng.it.fixture.frontend.MessageFdKind;
import org.vhostuserrng.it.fixture.frontend.VhostUserSessionStage;
import org.vhostuserrng.it.protocol.MalformedMessageHeaderIT.MessageCase;

/** Malformed messages of types whose payload cannot be malformed, only the size, the flags and the file descriptors. */
@ParameterizedClass(name = "{0}")
@MethodSource("messages")
class MalformedMessageHeaderIT extends MalformedMessageContract {
    @Parameter
    MessageCase messageCase;

    /** A well-formed message, and the outcome that its malformed variants must have. */
    record MessageCase(FrontendMessageType type, CraftedFrontendMessage message, ExpectedOutcome outcome) {
        @Override
        public String toString() {
            return type.toString();
        }
    }

    /** Returns a message that has a reply only with need_reply. The daemon then rejects it with a NACK. */
    private static MessageCase command(FrontendMessageType type, byte[] payload, MessageFdKind... fds) {
        return new MessageCase(type, CraftedFrontendMessage.of(type, payload, fds), NACK_OR_CLOSED);
    }

    /** Returns a message whose reply cannot report an error. */
    private static MessageCase query(FrontendMessageType type) {
        return new MessageCase(type, CraftedFrontendMessage.of(type, FrontendPayloadEncoder.none()), SESSION_CLOSED);
    }

    static Stream<MessageCase> messages() {
        byte[] none = FrontendPayloadEncoder.none();
        return Stream.of(
                query(FrontendMessageType.GET_FEATURES),
                query(FrontendMessageType.GET_PROTOCOL_FEATURES),
                query(FrontendMessageType.GET_QUEUE_NUM),
                query(FrontendMessageType.GET_MAX_MEM_SLOTS),
                query(FrontendMessageType.GET_STATUS),
                command(FrontendMessageType.CHECK_DEVICE_STATE, none),
                command(FrontendMessageType.SET_OWNER, none),
                command(FrontendMessageType.RESET_OWNER, none),
                command(FrontendMessageType.RESET_DEVICE, none),
                command(FrontendMessageType.SET_STATUS, FrontendPayloadEncoder.u64(8)),
                command(FrontendMessageType.SET_LOG_FD, none, MessageFdKind.EVENTFD),
                command(FrontendMessageType.SET_BACKEND_REQ_FD, none, MessageFdKind.SOCKET));
    }

    @Override
    CraftedFrontendMessage message() {
        return messageCase.message();
    }

    @Override
    ExpectedOutcome outcome() {
        return messageCase.outcome();
    }

    /**
     * The daemon accepts a connected socket or the write end of a pipe as an eventfd, and a pipe as the back-end
     * channel.
     */
    @Override
    Stream<MalformedMessage> wrongFdKinds(VhostUserSessionStage stage) {
        return super.wrongFdKinds(stage)
                .filter(wrong -> !wrong.message().fds().contains(MessageFdKind.PIPE)
                        && !wrong.message().fds().contains(MessageFdKind.SOCKET));
    }
}
