package org.vhostuserrng.it.protocol;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.frontend.FrontendVhostUserConstants.FLAG_REPLY;
import static org.vhostuserrng.frontend.FrontendVhostUserConstants.FLAG_VERSION;
import static org.vhostuserrng.frontend.FrontendVhostUserConstants.MAX_FDS;
import static org.vhostuserrng.it.fixture.EventualAssertions.HANG_TIMEOUT;
import static org.vhostuserrng.it.fixture.EventualAssertions.assertEventually;

import java.io.IOException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.vhostuserrng.frontend.BackendProtocolException;
import org.vhostuserrng.frontend.BackendReply;
import org.vhostuserrng.frontend.FrontendSession;
import org.vhostuserrng.frontend.ReceivedFileDescriptor;
import org.vhostuserrng.it.fixture.daemon.SharedDaemonExtension;
import org.vhostuserrng.it.fixture.frontend.CraftedFrontendMessage;
import org.vhostuserrng.it.fixture.frontend.MalformedMessage;
import org.vhostuserrng.it.fixture.frontend.MalformedMessage.ExpectedOutcome;
import org.vhostuserrng.it.fixture.frontend.MessageFdKind;
import org.vhostuserrng.it.fixture.frontend.VhostUserSessionStage;
import org.vhostuserrng.it.fixture.frontend.VhostUserSessionStage.StagedFrontend;

/**
 * The tests that every vhost-user message must pass at every stage of a session: the daemon must reject a malformed
 * message as the specification requires. The message must not end another session and must not leak resources. A
 * subclass supplies the well-formed message and the malformations of this message.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class MalformedMessageContract {
    /** Maximum number of file descriptors of one sendmsg(2). */
    private static final int SCM_MAX_FD = 253;

    private static final int RESERVED_FLAGS = 0xffff_fff0;
    private static final int ERROR_MASK = 0xff;

    @RegisterExtension
    final SharedDaemonExtension shared = new SharedDaemonExtension("--mem-slots", "--access-platform");

    // --- supplied by a subclass ------------------------------------------------------------------------------------

    /** Returns the well-formed message. */
    abstract CraftedFrontendMessage message();

    /** Returns the outcome that malformed payloads, sizes and file descriptors must have. */
    ExpectedOutcome outcome() {
        return ExpectedOutcome.NACK_OR_CLOSED;
    }

    /** Returns the messages with malformations that are specific to this message type. */
    Stream<MalformedMessage> payloadMalformations(VhostUserSessionStage stage) {
        return Stream.empty();
    }

    /**
     * Returns the message with a file descriptor of each kind that the daemon must reject; empty for a message without
     * file descriptors.
     */
    Stream<MalformedMessage> wrongFdKinds(VhostUserSessionStage stage) {
        return Stream.of(MessageFdKind.values())
                .filter(other -> kind() != null && other != kind())
                .map(other -> malformed("fd of kind " + other, message().withFds(other)));
    }

    /** Whether the message is also well-formed without its file descriptors. */
    boolean fdsAreOptional() {
        return false;
    }

    /** Whether the payload may be longer than the message needs. */
    boolean payloadMayBeLonger() {
        return false;
    }

    // --- building blocks for a subclass ----------------------------------------------------------------------------

    final MalformedMessage malformed(String description, byte[] payload) {
        return malformed(description, message().withPayload(payload));
    }

    final MalformedMessage malformed(String description, CraftedFrontendMessage malformed) {
        return new MalformedMessage(description, malformed, outcome());
    }

    /** Returns messages with the index of a queue that the device does not have; {@code payload} encodes the index. */
    final Stream<MalformedMessage> malformedQueueIndices(IntFunction<byte[]> payload) {
        return IntStream.of(1, 2, 255, 256, 65536, Integer.MIN_VALUE, -1)
                .mapToObj(index -> malformed("queue " + Integer.toUnsignedString(index), payload.apply(index)));
    }

    // --- malformations of every message ----------------------------------------------------------------------------

    /** Returns the kind of the message's file descriptors; null for a message without file descriptors. */
    private MessageFdKind kind() {
        return message().fds().isEmpty() ? null : message().fds().getFirst();
    }

    private Stream<MalformedMessage> sizeMalformations() {
        int size = message().size();
        Stream<MalformedMessage> rejected = IntStream.of(0, size - 1, size + 1)
                .distinct()
                .filter(other -> other >= 0 && other != size && !(payloadMayBeLonger() && other > size))
                .mapToObj(other ->
                        malformed(other + " bytes for " + size, message().withPayloadResized(other)));
        return Stream.concat(
                rejected,
                Stream.of(
                        malformedAndFatal("4096 bytes", message().withPayloadResized(4096)),
                        malformedAndFatal(
                                "65536 bytes declared, none sent", message().withDeclaredSize(65536)),
                        malformedAndFatal("2^31 bytes declared", message().withDeclaredSize(Integer.MIN_VALUE)),
                        malformedAndFatal("2^32-1 bytes declared", message().withDeclaredSize(-1))));
    }

    private Stream<MalformedMessage> flagMalformations() {
        return Stream.of(
                malformedAndFatal("version 0", message().withFlags(0)),
                malformedAndFatal("version 2", message().withFlags(2)),
                malformedAndFatal("version 3", message().withFlags(3)),
                malformedAndFatal("reply bit", message().withFlags(FLAG_VERSION | FLAG_REPLY)));
    }

    private Stream<MalformedMessage> fdCountMalformations() {
        int count = message().fds().size();
        MessageFdKind kind = kind() == null ? MessageFdKind.EVENTFD : kind();
        Stream<MalformedMessage> none = count == 0 || fdsAreOptional()
                ? Stream.empty()
                : Stream.of(malformed("no fds", message().withRepeatedFd(0, kind)));
        return Stream.concat(
                none,
                Stream.of(
                        malformed("one fd too many", message().withRepeatedFd(count + 1, kind)),
                        malformed("32 fds", message().withRepeatedFd(MAX_FDS, kind)),
                        malformedAndFatal("33 fds", message().withRepeatedFd(MAX_FDS + 1, kind)),
                        malformedAndFatal("253 fds", message().withRepeatedFd(SCM_MAX_FD, kind))));
    }

    private static MalformedMessage malformedAndFatal(String description, CraftedFrontendMessage malformed) {
        return new MalformedMessage(description, malformed, ExpectedOutcome.SESSION_CLOSED);
    }

    private Stream<Arguments> malformations() {
        return Arrays.stream(VhostUserSessionStage.values()).flatMap(this::malformations);
    }

    private Stream<Arguments> malformations(VhostUserSessionStage stage) {
        return Stream.of(
                        sizeMalformations(),
                        flagMalformations(),
                        fdCountMalformations(),
                        wrongFdKinds(stage),
                        payloadMalformations(stage))
                .flatMap(some -> some)
                .map(malformation -> Arguments.of(malformation, stage));
    }

    // --- the contract ----------------------------------------------------------------------------------------------

    @ParameterizedTest(name = "{0}, {1}")
    @MethodSource("malformations")
    void malformedMessageEndsAtMostItsSession(MalformedMessage malformation, VhostUserSessionStage stage)
            throws Exception {
        try (StagedFrontend frontend = stage.connectAt(shared.socket())) {
            send(frontend.session(), malformation.message());

            if (malformation.outcome() == ExpectedOutcome.ERROR_REPLY) {
                assertNegativeReply(frontend.session());
            } else {
                assertClosed(frontend.session());
            }
        }
        shared.assertServingAndNothingLeaked();
    }

    @ParameterizedTest(name = "{0}, {1}")
    @MethodSource("malformations")
    void malformedMessageWithNeedReplyGetsANack(MalformedMessage malformation, VhostUserSessionStage stage)
            throws Exception {
        try (StagedFrontend frontend = stage.connectAt(shared.socket())) {
            frontend.session().getFeatures();
            int before = shared.daemon().openFdTargets().size();

            send(frontend.session(), malformation.message().withNeedReply());

            if (malformation.outcome() == ExpectedOutcome.SESSION_CLOSED) {
                assertClosed(frontend.session());
            } else {
                assertNegativeReply(frontend.session());
                assertEventually(
                        "the message's file descriptors are closed",
                        () -> shared.daemon().openFdTargets().size() <= before);
                assertNotEquals(0, frontend.session().getFeatures(), "the session has ended");
            }
        }
        shared.assertServingAndNothingLeaked();
    }

    @ParameterizedTest
    @EnumSource
    void reservedFlagsAreIgnored(VhostUserSessionStage stage) throws Exception {
        CraftedFrontendMessage plain = message().withNeedReply();

        assertEquals(replyOrEnd(plain, stage), replyOrEnd(plain.withFlags(plain.flags() | RESERVED_FLAGS), stage));
        shared.assertServingAndNothingLeaked();
    }

    // ---------------------------------------------------------------------------------------------------------------

    private void send(FrontendSession session, CraftedFrontendMessage crafted) throws IOException {
        session.socket().sendRaw(crafted.bytes(), shared.fds(crafted.fds()));
    }

    private static void assertClosed(FrontendSession session) throws IOException {
        assertTrue(session.socket().awaitClosed(HANG_TIMEOUT), "the session was not closed");
    }

    private void assertNegativeReply(FrontendSession session) throws IOException {
        long reply = session.socket().receive(message().request(), HANG_TIMEOUT).u64();
        assertNotEquals(0, reply & ERROR_MASK, "the reply reports success");
    }

    private String replyOrEnd(CraftedFrontendMessage crafted, VhostUserSessionStage stage) throws Exception {
        try (StagedFrontend frontend = stage.connectAt(shared.socket())) {
            send(frontend.session(), crafted);
            BackendReply reply = frontend.session().socket().receiveWithDescriptors(crafted.request(), HANG_TIMEOUT);
            reply.descriptors().forEach(ReceivedFileDescriptor::close);
            return HexFormat.of().formatHex(reply.payload());
        } catch (BackendProtocolException ended) {
            return ended.reason().toString();
        }
    }
}
