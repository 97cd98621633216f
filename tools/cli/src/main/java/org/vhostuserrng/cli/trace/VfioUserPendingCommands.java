package org.vhostuserrng.cli.trace;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.vhostuserrng.cli.trace.TracePendingRequests.SentRequest;

/**
 * Matches the replies of a vfio-user session with the commands of the other side, by their message ids. Stores the
 * latest commands of each side that expect a reply, at most {@value #MAX_COMMANDS}.
 */
final class VfioUserPendingCommands {
    private static final int MAX_COMMANDS = 256;

    private final Map<TraceSide, Map<Integer, SentRequest>> sent = new EnumMap<>(TraceSide.class);

    VfioUserPendingCommands() {
        for (TraceSide side : TraceSide.values()) {
            sent.put(side, new LinkedHashMap<>());
        }
    }

    /** Adds a command. Returns false if a command of the same side with this message id has no reply yet. */
    boolean add(TraceSide from, int messageId, SentRequest command) {
        Map<Integer, SentRequest> commands = sent.get(from);
        if (commands.size() == MAX_COMMANDS) {
            commands.remove(commands.keySet().iterator().next());
        }
        return commands.put(messageId, command) == null;
    }

    /** Removes and returns the command to which a side replies with a message id; empty if there is none. */
    Optional<SentRequest> matchReply(TraceSide from, int messageId) {
        return Optional.ofNullable(sent.get(from.other()).remove(messageId));
    }

    /** Returns the commands that have no reply, in the order in which they were sent. */
    List<SentRequest> unanswered() {
        List<SentRequest> commands = new ArrayList<>();
        sent.values().forEach(each -> commands.addAll(each.values()));
        commands.sort(Comparator.comparingInt(SentRequest::number));
        return commands;
    }
}
