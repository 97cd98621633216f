package org.vhostuserrng.cli.trace;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/** The requests of a session that may still be replied to: the last ones only, however many a front-end sends. */
final class TracePendingRequests {
    private static final int MAX_REQUESTS = 256;

    /**
     * A request that was sent.
     *
     * @param awaited the document has the back-end reply to it
     */
    record SentRequest(int number, int request, String name, long nanos, boolean replyExpected) {}

    private final Deque<SentRequest> sent = new ArrayDeque<>();

    void add(SentRequest request) {
        if (sent.size() == MAX_REQUESTS) {
            sent.removeFirst();
        }
        sent.addLast(request);
    }

    /** Takes the request that a reply with this number answers: the oldest that waits, else the latest that does not. */
    Optional<SentRequest> matchReply(int request) {
        Optional<SentRequest> awaited =
                removeFirst(sent.iterator(), each -> each.request == request && each.replyExpected);
        return awaited.isPresent() ? awaited : removeFirst(sent.descendingIterator(), each -> each.request == request);
    }

    private static Optional<SentRequest> removeFirst(Iterator<SentRequest> requests, Predicate<SentRequest> wanted) {
        while (requests.hasNext()) {
            SentRequest each = requests.next();
            if (wanted.test(each)) {
                requests.remove();
                return Optional.of(each);
            }
        }
        return Optional.empty();
    }

    /** Those that wait for a reply still. */
    List<SentRequest> unanswered() {
        return sent.stream().filter(SentRequest::replyExpected).toList();
    }
}
