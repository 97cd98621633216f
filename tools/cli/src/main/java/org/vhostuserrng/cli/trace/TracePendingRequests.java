package org.vhostuserrng.cli.trace;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/** The latest requests of a session, at most {@value #MAX_REQUESTS}, to match replies with requests. */
final class TracePendingRequests {
    private static final int MAX_REQUESTS = 256;

    /**
     * A request that was sent.
     *
     * @param number number of the request in its session
     * @param request message id
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
     * Removes the request that matches a reply: the oldest request with an expected reply, or else the latest request
     * without one.
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

    /** Requests whose expected reply has not been seen. */
    List<SentRequest> unanswered() {
        return sent.stream().filter(SentRequest::replyExpected).toList();
    }
}
