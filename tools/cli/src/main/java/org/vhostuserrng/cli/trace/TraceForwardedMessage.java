package org.vhostuserrng.cli.trace;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.vhostuserrng.cli.trace.TraceRecord.Message;
import org.vhostuserrng.cli.trace.TraceRecord.PassedDescriptor;
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
    private static final int MOST_DESCRIPTIONS = 256;

    private final ByteArrayOutputStream seen = new ByteArrayOutputStream();
    private final List<PassedDescriptor> descriptions = new ArrayList<>();

    /** Received, and not passed on yet. */
    private final List<RecvmsgResult> held = new ArrayList<>();

    /** How many bytes of this message may be received next; 0 when it is complete. */
    int wanted() {
        int missing = FrontendVhostUserSpec.HEADER_SIZE - seen.size();
        if (missing > 0) {
            return missing;
        }
        long payload = unseenPayload() > 0 ? 0 : header().size();
        return Math.min((int) payload + missing, FdPassingSocket.MAX_RECEIVE_BYTES);
    }

    private TraceMessageHeader header() {
        return TraceMessageHeader.of(seen.toByteArray());
    }

    /** Bytes of a payload that is too long to be looked at; they follow this message. */
    long unseenPayload() {
        long size = seen.size() < FrontendVhostUserSpec.HEADER_SIZE ? 0 : header().size();
        return size > Message.MOST_PAYLOAD ? size : 0;
    }

    boolean holdsAnything() {
        return !held.isEmpty();
    }

    /** Late descriptors are held: a side that sends some with every byte must not have us collect them. */
    boolean holdsLateDescriptors() {
        return held.size() > 1 && !held.getLast().descriptors().isEmpty();
    }

    boolean isEmpty() {
        return seen.size() == 0;
    }

    /** Takes over what was received, the descriptors too. */
    void add(RecvmsgResult received) {
        int offset = seen.size();
        held.add(received);
        for (ReceivedFileDescriptor descriptor : received.descriptors()) {
            if (descriptions.size() < MOST_DESCRIPTIONS) {
                descriptions.add(new PassedDescriptor(offset, TraceFdDescription.of(descriptor)));
            }
        }
        if (received.controlTruncated() && descriptions.size() < MOST_DESCRIPTIONS) {
            descriptions.add(new PassedDescriptor(offset, "lost: trace has no descriptor left"));
        }
        seen.writeBytes(received.bytes());
    }

    /** Tells what the message is. */
    void report(VhostUserSide from, TraceRecordDispatcher log) {
        log.message(from, seen.toByteArray(), List.copyOf(descriptions));
    }

    /** Sends what is held and lets go of it, whether that succeeds or not. */
    void passOn(FdPassingSocket to) throws IOException {
        try {
            int first = 0;
            while (first < held.size()) {
                int end = endOfRun(first);
                send(to, held.subList(first, end));
                first = end;
            }
        } finally {
            close();
        }
    }

    /** Descriptors must stay with their byte: a piece that has some begins a sending of its own. */
    private int endOfRun(int first) {
        int end = first + 1;
        while (end < held.size() && held.get(end).descriptors().isEmpty()) {
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
        for (RecvmsgResult each : held) {
            each.descriptors().forEach(ReceivedFileDescriptor::close);
        }
        held.clear();
    }
}
