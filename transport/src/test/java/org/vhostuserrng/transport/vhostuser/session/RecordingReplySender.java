package org.vhostuserrng.transport.vhostuser.session;

import java.util.ArrayList;
import java.util.List;
import org.vhostuserrng.libc.OwnedFd;
import org.vhostuserrng.transport.vhostuser.protocol.FrontendRequest.Inflight;
import org.vhostuserrng.transport.vhostuser.protocol.ReplySender;

/** Records the replies to a front-end. */
final class RecordingReplySender implements ReplySender {
    /** A reply: the number of the request and the words of the payload. */
    record Reply(int id, List<Long> words) {}

    final List<Reply> replies = new ArrayList<>();
    /** The descriptor of the last reply that had one. */
    OwnedFd file;

    @Override
    public void reply(int id, long value) {
        replies.add(new Reply(id, List.of(value)));
    }

    @Override
    public void reply(int id, int index, int num) {
        replies.add(new Reply(id, List.of((long) index, Integer.toUnsignedLong(num))));
    }

    @Override
    public void reply(int id, Inflight inflight, OwnedFd newFile) {
        replies.add(new Reply(id, List.of(inflight.mmapSize(), inflight.mmapOffset())));
        file = newFile;
    }

    List<Long> last() {
        return replies.getLast().words();
    }
}
