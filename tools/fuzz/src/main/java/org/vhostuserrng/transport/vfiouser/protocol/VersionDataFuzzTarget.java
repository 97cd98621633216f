package org.vhostuserrng.transport.vfiouser.protocol;

import static org.vhostuserrng.fuzz.FuzzAssertions.require;
import static org.vhostuserrng.fuzz.FuzzAssertions.requireOneLine;

import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;

/** Parses an arbitrary payload of VFIO_USER_VERSION. It is accepted or refused with one line. */
public final class VersionDataFuzzTarget {
    private VersionDataFuzzTarget() {}

    /** Called by Jazzer. */
    public static void fuzzerTestOneInput(byte[] input) {
        try {
            VersionProposal proposal = VersionProposal.parse(MemorySegment.ofArray(input));
            require(proposal.acceptedMinor() <= proposal.minor(), "minor version above the proposed one");
            String reply = new String(proposal.acceptedData(1), StandardCharsets.US_ASCII);
            require(reply.contains("write_multiple") == proposal.writeMultiple(), "write_multiple");
        } catch (VfioUserViolationException refused) {
            requireOneLine(refused.getMessage());
        }
    }
}
