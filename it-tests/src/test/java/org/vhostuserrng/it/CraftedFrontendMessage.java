package org.vhostuserrng.it;

import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.vhostuserrng.frontend.FrontendMessageType;
import org.vhostuserrng.frontend.FrontendPayloadEncoder;
import org.vhostuserrng.frontend.FrontendVhostUserSpec;

/**
 * A front-end's message, right or wrong.
 *
 * @param size what the header claims
 * @param fds what its file descriptors are of
 */
@SuppressWarnings("ArrayRecordComponent") // a carrier that nobody compares
record CraftedFrontendMessage(int request, int flags, int size, byte[] payload, List<MessageFdKind> fds) {
    static CraftedFrontendMessage of(int request, byte[] payload, MessageFdKind... fds) {
        return new CraftedFrontendMessage(
                request, FrontendVhostUserSpec.FLAG_VERSION, payload.length, payload, List.of(fds));
    }

    static CraftedFrontendMessage of(FrontendMessageType type, byte[] payload, MessageFdKind... fds) {
        return of(type.id(), payload, fds);
    }

    CraftedFrontendMessage with(byte[] other) {
        return new CraftedFrontendMessage(request, flags, other.length, other, fds);
    }

    /** With a payload of another size: cut off, or filled up with zeroes. */
    CraftedFrontendMessage resized(int bytes) {
        return with(Arrays.copyOf(payload, bytes));
    }

    /** With nothing but a header that claims a payload of so many bytes. */
    CraftedFrontendMessage claiming(int bytes) {
        return new CraftedFrontendMessage(request, flags, bytes, FrontendPayloadEncoder.none(), fds);
    }

    CraftedFrontendMessage withFlags(int other) {
        return new CraftedFrontendMessage(request, other, size, payload, fds);
    }

    CraftedFrontendMessage needingReply() {
        return withFlags(flags | FrontendVhostUserSpec.FLAG_NEED_REPLY);
    }

    CraftedFrontendMessage with(MessageFdKind... others) {
        return new CraftedFrontendMessage(request, flags, size, payload, List.of(others));
    }

    CraftedFrontendMessage withMany(int count, MessageFdKind kind) {
        return new CraftedFrontendMessage(request, flags, size, payload, Collections.nCopies(count, kind));
    }

    /** Header and payload. */
    byte[] bytes() {
        byte[] bytes = FrontendPayloadEncoder.message(request, flags, payload);
        System.arraycopy(FrontendPayloadEncoder.vringState(size, 0), 0, bytes, 2 * Integer.BYTES, Integer.BYTES);
        return bytes;
    }

    @Override
    public String toString() {
        return "request " + Integer.toUnsignedString(request) + ", " + Integer.toUnsignedString(size) + " bytes, "
                + fds.size() + " fds";
    }
}
