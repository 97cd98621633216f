package org.vhostuserrng.cli.trace;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/** The requests of a session that may still be replied to: the last ones only, however many a front-end sends. */
final class TracePendingRequests {
    private static final int MOST = 256;

    /**
     * A request that was sent.
     *
     * @param awaited the document has the back-end reply to it
     */
    record Sent(int number, int request, String name, long nanos, boolean awaited) {}

    private final Deque<Sent> sent = new ArrayDeque<>();

    void add(Sent request) {
        if (sent.size() == MOST) {
            sent.removeFirst();
        }
        sent.addLast(request);
    }

    /** Takes the request that a reply with this number answers: the oldest that waits, else the latest that does not. */
    Optional<Sent> take(int request) {
        Optional<Sent> awaited = takeFirst(sent.iterator(), each -> each.request == request && each.awaited);
        return awaited.isPresent() ? awaited : takeFirst(sent.descendingIterator(), each -> each.request == request);
    }

    private static Optional<Sent> takeFirst(Iterator<Sent> requests, Predicate<Sent> wanted) {
        while (requests.hasNext()) {
            Sent each = requests.next();
            if (wanted.test(each)) {
                requests.remove();
                return Optional.of(each);
            }
        }
        return Optional.empty();
    }

    /** Those that wait for a reply still. */
    List<Sent> unanswered() {
        return sent.stream().filter(Sent::awaited).toList();
    }
}
