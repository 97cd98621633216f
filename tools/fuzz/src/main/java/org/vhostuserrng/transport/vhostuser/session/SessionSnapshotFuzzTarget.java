package org.vhostuserrng.transport.vhostuser.session;

import static org.vhostuserrng.fuzz.FuzzAssertions.require;
import static org.vhostuserrng.fuzz.FuzzAssertions.requireOneLine;

import org.vhostuserrng.transport.vhostuser.journal.InvalidJournalException;
import org.vhostuserrng.transport.vhostuser.session.SessionSnapshotCodec.CommittedSession;

/**
 * Decodes an arbitrary session snapshot of a journal. The codec must either reject it with a one-line message, or
 * decode it; the decoded session must not change when it is encoded and decoded again.
 *
 * <p>Input: the bytes of the snapshot.
 */
public final class SessionSnapshotFuzzTarget {
    private SessionSnapshotFuzzTarget() {}

    /** Called by Jazzer. */
    public static void fuzzerTestOneInput(byte[] bytes) {
        try {
            CommittedSession decoded = SessionSnapshotCodec.decode(bytes);
            require(decoded.equals(decodeAgain(decoded)), "encoding changed the state");
        } catch (InvalidJournalException rejected) {
            requireOneLine(rejected.getMessage());
        }
    }

    private static CommittedSession decodeAgain(CommittedSession decoded) {
        try {
            return SessionSnapshotCodec.decode(SessionSnapshotCodec.encode(decoded));
        } catch (InvalidJournalException impossible) {
            throw new AssertionError(impossible);
        }
    }
}
