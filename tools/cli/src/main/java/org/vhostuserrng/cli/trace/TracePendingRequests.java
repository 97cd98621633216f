package org.vhostuserrng.cli.trace;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/** Matches replies with requests. Stores the latest requests of a session, at most {@value #MAX_REQUESTS}. */
final class TracePendingRequests {
    private static final int MAX_REQUESTS = 256;

    /**
     * A request that the front-end sent.
     *
     * @param number number of the request in its session, counted from 1
     * @param request message id
     * @param nanos time of the request, nanoseconds since the start of the session
     * @param replyExpected whether the back-end must reply
     */
    record SentRequest(int number, int request, String name, long nanos, boolean replyExpected) {}

    private final Deque<SentRequest> sent = new ArrayDeque<>();

    void add(SentRequest request) {
        if (sent.size() == MAX_REQUESTS) {
            sent.removeFirst();
        }
        sent.addLast(request);
    }

    /**
     * Removes and returns the request that matches a reply: of the requests with this message id, the oldest one that
     * requires a reply, otherwise the latest one that does not; empty if there is none.
     */
    Optional<SentRequest> matchReply(int request) {
        Optional<SentRequest> expected =
                removeFirst(sent.iterator(), each -> each.request == request && each.replyExpected);
        return expected.isPresent()
                ? expected
                : removeFirst(sent.descendingIterator(), each -> each.request == request);
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

    /** Returns the requests whose expected reply has not arrived. */
    List<SentRequest> unanswered() {
        return sent.stream().filter(SentRequest::replyExpected).toList();
    }
}
