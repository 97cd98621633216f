package org.vhostuserrng.transport.vhostuser.session;

import static org.vhostuserrng.fuzz.FuzzAssertions.require;
import static org.vhostuserrng.fuzz.FuzzAssertions.requireOneLine;

import org.vhostuserrng.transport.vhostuser.journal.InvalidJournalException;
import org.vhostuserrng.transport.vhostuser.session.SessionSnapshotCodec.CommittedSession;

/**
 * Decodes an arbitrary state of a journal. The codec either rejects it with a one-line message, or encodes what it has
 * decoded to a state with the same meaning.
 *
 * <p>Input: the state.
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
