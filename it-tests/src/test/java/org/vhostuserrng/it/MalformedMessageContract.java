package org.vhostuserrng.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.frontend.FrontendVhostUserSpec.FLAG_REPLY;
import static org.vhostuserrng.frontend.FrontendVhostUserSpec.FLAG_VERSION;
import static org.vhostuserrng.frontend.FrontendVhostUserSpec.MAX_FDS;
import static org.vhostuserrng.it.EventualAssertions.PATIENCE;
import static org.vhostuserrng.it.EventualAssertions.eventually;

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
import org.vhostuserrng.it.MalformedMessage.Consequence;
import org.vhostuserrng.it.VhostUserSessionStage.Peer;

/**
 * What holds for each message of the vhost-user document, at whatever stage of a session it comes: got wrong, it ends at
 * most its session or is refused, as the document has it, and nothing of it remains. A subclass names the message as it
 * should be, and what can be wrong with no other one.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class MalformedMessageContract {
    /** SCM_MAX_FD: what sendmsg(2) takes. */
    private static final int MOST_FDS_OF_THE_SYSTEM = 253;

    private static final int RESERVED_FLAGS = 0xffff_fff0;
    private static final int ERROR_MASK = 0xff;

    @RegisterExtension
    final SharedDaemonExtension shared = new SharedDaemonExtension("--mem-slots", "--access-platform");

    private final CraftedFrontendMessage message;
    private final MessageFdKind kind;
    private final Consequence consequence;
    /** A message that is refused by a negative acknowledgement, and whose file descriptor, if any, is of one kind. */
    MalformedMessageContract(CraftedFrontendMessage message) {
        this(message, Consequence.REFUSED);
    }

    MalformedMessageContract(CraftedFrontendMessage message, Consequence consequence) {
        this.message = message;
        this.kind = message.fds().isEmpty() ? null : message.fds().getFirst();
        this.consequence = consequence;
    }

    // --- what a subclass adds --------------------------------------------------------------------------------------

    /** What can be wrong with this message alone. */
    Stream<MalformedMessage> itsOwn(VhostUserSessionStage stage) {
        return Stream.empty();
    }

    final CraftedFrontendMessage message() {
        return message;
    }

    /** The message with another payload, which is wrong. */
    final MalformedMessage wrong(String what, byte[] payload) {
        return wrong(what, message.with(payload));
    }

    final MalformedMessage wrong(String what, CraftedFrontendMessage malformed) {
        return new MalformedMessage(what, malformed, consequence);
    }

    /** The message for queues that the device does not have; {@code payload} makes one for an index. */
    final Stream<MalformedMessage> queuesThatAreNot(IntFunction<byte[]> payload) {
        return IntStream.of(1, 2, 255, 256, 65536, Integer.MIN_VALUE, -1)
                .mapToObj(index -> wrong("queue " + Integer.toUnsignedString(index), payload.apply(index)));
    }

    /** What its file descriptor must not be of; nothing for a message that has none. */
    Stream<MalformedMessage> wrongKinds(VhostUserSessionStage stage) {
        return Stream.of(MessageFdKind.values())
                .filter(other -> kind != null && other != kind)
                .map(other -> wrong("fd of kind " + other, message.with(other)));
    }

    // --- what can be wrong with each -------------------------------------------------------------------------------

    private Stream<MalformedMessage> sizes() {
        int size = message.size();
        Stream<MalformedMessage> refused = IntStream.of(0, size - 1, size + 1)
                .distinct()
                .filter(other -> other >= 0 && other != size)
                .mapToObj(other -> wrong(other + " bytes for " + size, message.resized(other)));
        return Stream.concat(
                refused,
                Stream.of(
                        closing("4096 bytes", message.resized(4096)),
                        closing("65536 bytes of which none come", message.claiming(65536)),
                        closing("2^31 bytes", message.claiming(Integer.MIN_VALUE)),
                        closing("2^32-1 bytes", message.claiming(-1))));
    }

    private Stream<MalformedMessage> flags() {
        return Stream.of(
                closing("version 0", message.withFlags(0)),
                closing("version 2", message.withFlags(2)),
                closing("version 3", message.withFlags(3)),
                closing("reply bit", message.withFlags(FLAG_VERSION | FLAG_REPLY)));
    }

    private Stream<MalformedMessage> fdCounts() {
        int count = message.fds().size();
        MessageFdKind more = kind == null ? MessageFdKind.EVENTFD : kind;
        Stream<MalformedMessage> none =
                count == 0 || fdsAreOptional() ? Stream.empty() : Stream.of(wrong("no fds", message.withMany(0, more)));
        return Stream.concat(
                none,
                Stream.of(
                        wrong("one fd too many", message.withMany(count + 1, more)),
                        wrong("8 fds", message.withMany(MAX_FDS, more)),
                        closing("9 fds", message.withMany(MAX_FDS + 1, more)),
                        closing("253 fds", message.withMany(MOST_FDS_OF_THE_SYSTEM, more))));
    }

    /** Whether the message may as well come without its file descriptors. */
    boolean fdsAreOptional() {
        return false;
    }

    private static MalformedMessage closing(String what, CraftedFrontendMessage malformed) {
        return new MalformedMessage(what, malformed, Consequence.CLOSED);
    }

    private Stream<Arguments> malformations() {
        return Arrays.stream(VhostUserSessionStage.values()).flatMap(this::malformations);
    }

    private Stream<Arguments> malformations(VhostUserSessionStage stage) {
        return Stream.of(sizes(), flags(), fdCounts(), wrongKinds(stage), itsOwn(stage))
                .flatMap(some -> some)
                .map(malformation -> Arguments.of(malformation, stage));
    }

    // --- the contract ----------------------------------------------------------------------------------------------

    @ParameterizedTest(name = "{0}, {1}")
    @MethodSource("malformations")
    void malformedMessageEndsAtMostItsSession(MalformedMessage malformation, VhostUserSessionStage stage)
            throws Exception {
        try (Peer peer = stage.reach(shared.socket())) {
            send(peer.session(), malformation.message());

            if (malformation.consequence() == Consequence.ANSWERED) {
                assertFailureIsTold(peer.session());
            } else {
                assertClosed(peer.session());
            }
        }
        shared.assertUnharmed();
    }

    @ParameterizedTest(name = "{0}, {1}")
    @MethodSource("malformations")
    void malformedMessageThatNeedsAReplyIsRefused(MalformedMessage malformation, VhostUserSessionStage stage)
            throws Exception {
        try (Peer peer = stage.reach(shared.socket())) {
            peer.session().getFeatures();
            int before = shared.daemon().fds().size();

            send(peer.session(), malformation.message().needingReply());

            if (malformation.consequence() == Consequence.CLOSED) {
                assertClosed(peer.session());
            } else {
                assertFailureIsTold(peer.session());
                eventually(
                        "what came with it is closed",
                        () -> shared.daemon().fds().size() <= before);
                assertNotEquals(0, peer.session().getFeatures(), "the session does not go on");
            }
        }
        shared.assertUnharmed();
    }

    @ParameterizedTest
    @EnumSource
    void reservedFlagsChangeNothing(VhostUserSessionStage stage) throws Exception {
        CraftedFrontendMessage needingReply = message.needingReply();

        assertEquals(
                outcome(needingReply, stage),
                outcome(needingReply.withFlags(needingReply.flags() | RESERVED_FLAGS), stage));
        shared.assertUnharmed();
    }

    // ---------------------------------------------------------------------------------------------------------------

    private void send(FrontendSession session, CraftedFrontendMessage some) throws IOException {
        session.socket().sendRaw(some.bytes(), shared.fds(some.fds()));
    }

    private static void assertClosed(FrontendSession session) throws IOException {
        assertTrue(session.socket().awaitClosed(PATIENCE), "the session was not closed");
    }

    private void assertFailureIsTold(FrontendSession session) throws IOException {
        long told = session.socket().receive(message.request(), PATIENCE).u64();
        assertNotEquals(0, told & ERROR_MASK, "it was not refused");
    }

    private String outcome(CraftedFrontendMessage some, VhostUserSessionStage stage) throws Exception {
        try (Peer peer = stage.reach(shared.socket())) {
            send(peer.session(), some);
            BackendReply reply = peer.session().socket().receiveWithDescriptors(some.request(), PATIENCE);
            reply.descriptors().forEach(ReceivedFileDescriptor::close);
            return HexFormat.of().formatHex(reply.payload());
        } catch (BackendProtocolException ended) {
            return ended.reason().toString();
        }
    }
}
