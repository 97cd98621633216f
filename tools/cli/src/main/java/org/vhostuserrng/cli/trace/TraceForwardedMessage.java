package org.vhostuserrng.cli.trace;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.vhostuserrng.cli.trace.TraceRecord.MessageSent;
import org.vhostuserrng.cli.trace.TraceRecord.PassedFd;
import org.vhostuserrng.frontend.FdPassingSocket;
import org.vhostuserrng.frontend.FrontendVhostUserSpec;
import org.vhostuserrng.frontend.ReceivedFileDescriptor;
import org.vhostuserrng.frontend.RecvmsgResult;

/**
 * One message on its way: grows by what is received, shrinks by what is passed on. A message that came at once leaves at
 * once, with its descriptors at its first byte; one that came in pieces leaves in pieces.
 */
final class TraceForwardedMessage implements AutoCloseable {
    /** Above what one sending can carry, which is 253. */
    private static final int MAX_DESCRIPTIONS = 256;

    private final ByteArrayOutputStream captured = new ByteArrayOutputStream();
    private final List<PassedFd> descriptions = new ArrayList<>();

    /** Received, and not passed on yet. */
    private final List<RecvmsgResult> unsent = new ArrayList<>();

    /** How many bytes of this message may be received next; 0 when it is complete. */
    int bytesWanted() {
        int missing = FrontendVhostUserSpec.HEADER_SIZE - captured.size();
        if (missing > 0) {
            return missing;
        }
        long payload = uncapturedPayloadBytes() > 0 ? 0 : header().size();
        return Math.min((int) payload + missing, FdPassingSocket.MAX_RECEIVE_BYTES);
    }

    private TraceMessageHeader header() {
        return TraceMessageHeader.of(captured.toByteArray());
    }

    /** Bytes of a payload that is too long to be looked at; they follow this message. */
    long uncapturedPayloadBytes() {
        long size = captured.size() < FrontendVhostUserSpec.HEADER_SIZE ? 0 : header().size();
        return size > MessageSent.MAX_CAPTURED_PAYLOAD ? size : 0;
    }

    boolean hasUnsent() {
        return !unsent.isEmpty();
    }

    /** Late descriptors are held: a side that sends some with every byte must not have us collect them. */
    boolean hasLateFds() {
        return unsent.size() > 1 && !unsent.getLast().descriptors().isEmpty();
    }

    boolean isEmpty() {
        return captured.size() == 0;
    }

    /** Takes over what was received, the descriptors too. */
    void add(RecvmsgResult received) {
        int offset = captured.size();
        unsent.add(received);
        for (ReceivedFileDescriptor descriptor : received.descriptors()) {
            if (descriptions.size() < MAX_DESCRIPTIONS) {
                descriptions.add(new PassedFd(offset, TraceFdDescription.of(descriptor)));
            }
        }
        if (received.controlTruncated() && descriptions.size() < MAX_DESCRIPTIONS) {
            descriptions.add(new PassedFd(offset, "lost: trace has no descriptor left"));
        }
        captured.writeBytes(received.bytes());
    }

    /** Tells what the message is. */
    void report(VhostUserSide from, TraceRecordDispatcher log) {
        log.message(from, captured.toByteArray(), List.copyOf(descriptions));
    }

    /** Sends what is held and lets go of it, whether that succeeds or not. */
    void sendTo(FdPassingSocket to) throws IOException {
        try {
            int first = 0;
            while (first < unsent.size()) {
                int end = endOfSegment(first);
                send(to, unsent.subList(first, end));
                first = end;
            }
        } finally {
            close();
        }
    }

    /** Descriptors must stay with their byte: a piece that has some begins a sending of its own. */
    private int endOfSegment(int first) {
        int end = first + 1;
        while (end < unsent.size() && unsent.get(end).descriptors().isEmpty()) {
            end++;
        }
        return end;
    }

    private static void send(FdPassingSocket to, List<RecvmsgResult> pieces) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        pieces.forEach(piece -> bytes.writeBytes(piece.bytes()));
        to.send(bytes.toByteArray(), fds(pieces.getFirst()));
    }

    private static int[] fds(RecvmsgResult piece) {
        return piece.descriptors().stream().mapToInt(ReceivedFileDescriptor::fd).toArray();
    }

    /** Closes the descriptors that are held. */
    @Override
    public void close() {
        for (RecvmsgResult each : unsent) {
            each.descriptors().forEach(ReceivedFileDescriptor::close);
        }
        unsent.clear();
    }
}
