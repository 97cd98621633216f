package org.vhostuserrng.cli.trace;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.vhostuserrng.cli.trace.TraceRecord.MessageSent;
import org.vhostuserrng.cli.trace.TraceRecord.PassedFd;
import org.vhostuserrng.frontend.FdPassingSocket;
import org.vhostuserrng.frontend.ReceivedFileDescriptor;
import org.vhostuserrng.frontend.RecvmsgResult;

/**
 * A message that the proxy forwards: it adds each received piece, captures it for the trace, and sends it to the other
 * side. A message that arrives in one piece is sent in one piece, with its file descriptors at the first byte; a
 * message that arrives in pieces may be sent in pieces.
 */
final class TraceForwardedMessage implements AutoCloseable {
    /** Maximum number of descriptors to describe: more than the 253 that one sendmsg(2) can pass. */
    private static final int MAX_DESCRIPTIONS = 256;

    private final ByteArrayOutputStream captured = new ByteArrayOutputStream();
    private final List<PassedFd> descriptions = new ArrayList<>();

    /** Pieces that were received but not sent yet. */
    private final List<RecvmsgResult> unsent = new ArrayList<>();

    private final TraceProtocolDetector detector;

    /** Creates an empty message of a session. */
    TraceForwardedMessage(TraceProtocolDetector detector) {
        this.detector = detector;
    }

    /** Maximum number of bytes to receive next for this message; 0 if the message is complete. */
    int bytesWanted() {
        int missing = headerSize() - captured.size();
        if (missing > 0) {
            return missing;
        }
        long payload = uncapturedPayloadBytes() > 0 ? 0 : payloadSize();
        return Math.min((int) payload + missing, FdPassingSocket.MAX_RECEIVE_BYTES);
    }

    /** Size of the header in bytes; before the protocol is known, the number of bytes that identify it. */
    private int headerSize() {
        return detector.known().map(TraceProtocol::headerSize).orElse(TraceProtocol.DETECTION_BYTES);
    }

    private boolean hasHeader() {
        return detector.known().isPresent() && captured.size() >= headerSize();
    }

    private long payloadSize() {
        byte[] bytes = captured.toByteArray();
        return detector.detect(bytes).payloadSize(bytes);
    }

    /**
     * Size in bytes of a payload that is too long to be captured and must be forwarded separately; 0 for other
     * messages.
     */
    long uncapturedPayloadBytes() {
        long size = hasHeader() ? payloadSize() : 0;
        return size > MessageSent.MAX_CAPTURED_PAYLOAD ? size : 0;
    }

    boolean hasUnsent() {
        return !unsent.isEmpty();
    }

    /**
     * Whether an unsent piece after the first one has descriptors. Such pieces are sent early to limit the number of
     * open descriptors.
     */
    boolean hasLateFds() {
        return unsent.size() > 1 && !unsent.getLast().descriptors().isEmpty();
    }

    boolean isEmpty() {
        return captured.size() == 0;
    }

    /** Adds a received piece and takes ownership of its descriptors. */
    void add(RecvmsgResult received) {
        int offset = captured.size();
        unsent.add(received);
        for (ReceivedFileDescriptor descriptor : received.descriptors()) {
            if (descriptions.size() < MAX_DESCRIPTIONS) {
                descriptions.add(new PassedFd(offset, TraceFdDescription.of(descriptor)));
            }
        }
        if (received.controlTruncated() && descriptions.size() < MAX_DESCRIPTIONS) {
            descriptions.add(new PassedFd(offset, "lost: trace has no free file descriptors"));
        }
        captured.writeBytes(received.bytes());
        if (captured.size() >= TraceProtocol.DETECTION_BYTES) {
            detector.detect(captured.toByteArray());
        }
    }

    /** Reports the captured message to the trace. */
    void report(TraceSide from, TraceRecordDispatcher log) {
        byte[] bytes = captured.toByteArray();
        log.message(from, detector.detect(bytes).withoutGuestMemory(bytes), List.copyOf(descriptions));
    }

    /** Sends all unsent pieces and releases them, even if sending fails. */
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

    /**
     * Returns the end, exclusive, of the pieces that are sent with one sendmsg(2). A piece with descriptors must be the
     * first one, because the kernel attaches the descriptors to the first byte.
     */
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

    /** Closes the descriptors of unsent pieces. */
    @Override
    public void close() {
        for (RecvmsgResult each : unsent) {
            each.descriptors().forEach(ReceivedFileDescriptor::close);
        }
        unsent.clear();
    }
}
