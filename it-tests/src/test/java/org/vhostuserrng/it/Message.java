package org.vhostuserrng.it;

import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.vhostuserrng.frontend.FrontendMessageType;
import org.vhostuserrng.frontend.Payload;
import org.vhostuserrng.frontend.VhostUser;

/**
 * A front-end's message, right or wrong.
 *
 * @param size what the header claims
 * @param fds what its file descriptors are of
 */
@SuppressWarnings("ArrayRecordComponent") // a carrier that nobody compares
record Message(int request, int flags, int size, byte[] payload, List<FdKind> fds) {
    static Message of(int request, byte[] payload, FdKind... fds) {
        return new Message(request, VhostUser.FLAG_VERSION, payload.length, payload, List.of(fds));
    }

    static Message of(FrontendMessageType type, byte[] payload, FdKind... fds) {
        return of(type.id(), payload, fds);
    }

    Message with(byte[] other) {
        return new Message(request, flags, other.length, other, fds);
    }

    /** With a payload of another size: cut off, or filled up with zeroes. */
    Message resized(int bytes) {
        return with(Arrays.copyOf(payload, bytes));
    }

    /** With nothing but a header that claims a payload of so many bytes. */
    Message claiming(int bytes) {
        return new Message(request, flags, bytes, Payload.none(), fds);
    }

    Message withFlags(int other) {
        return new Message(request, other, size, payload, fds);
    }

    Message needingReply() {
        return withFlags(flags | VhostUser.FLAG_NEED_REPLY);
    }

    Message with(FdKind... others) {
        return new Message(request, flags, size, payload, List.of(others));
    }

    Message withMany(int count, FdKind kind) {
        return new Message(request, flags, size, payload, Collections.nCopies(count, kind));
    }

    /** Header and payload. */
    byte[] bytes() {
        byte[] bytes = Payload.message(request, flags, payload);
        System.arraycopy(Payload.vringState(size, 0), 0, bytes, 2 * Integer.BYTES, Integer.BYTES);
        return bytes;
    }

    @Override
    public String toString() {
        return "request " + Integer.toUnsignedString(request) + ", " + Integer.toUnsignedString(size) + " bytes, "
                + fds.size() + " fds";
    }
}
