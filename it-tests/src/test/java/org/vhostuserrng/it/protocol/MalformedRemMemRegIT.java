package org.vhostuserrng.it.protocol;

import static org.vhostuserrng.frontend.FrontendMessageType.REM_MEM_REG;

import java.util.stream.Stream;
import org.vhostuserrng.it.fixture.frontend.CraftedFrontendMessage;
import org.vhostuserrng.it.fixture.frontend.MalformedMessage;
import org.vhostuserrng.it.fixture.frontend.MemRegionPayloads;
import org.vhostuserrng.it.fixture.frontend.MessageFdKind;
import org.vhostuserrng.it.fixture.frontend.VhostUserSessionStage;

/** Malformed messages of type VHOST_USER_REM_MEM_REG. */
class MalformedRemMemRegIT extends MalformedMessageContract {
    @Override
    CraftedFrontendMessage message() {
        return CraftedFrontendMessage.of(REM_MEM_REG, MemRegionPayloads.singleTestRegion(), MessageFdKind.SEALED_MEMFD);
    }

    @Override
    Stream<MalformedMessage> payloadMalformations(VhostUserSessionStage stage) {
        return Stream.of(malformed("region that was never added", message()));
    }

    /** None: the back-end closes the file descriptor without checking its kind. */
    @Override
    Stream<MalformedMessage> wrongFdKinds(VhostUserSessionStage stage) {
        return Stream.empty();
    }

    @Override
    boolean fdsAreOptional() {
        return true;
    }
}
