package org.vhostuserrng.it;

import static org.vhostuserrng.frontend.FrontendMessageType.REM_MEM_REG;

import java.util.stream.Stream;

/** VHOST_USER_REM_MEM_REG. */
class RemMemRegIT extends MalformedMessageContract {
    RemMemRegIT() {
        super(CraftedFrontendMessage.of(REM_MEM_REG, MemRegionPayloads.firstAlone(), MessageFdKind.MEMORY));
    }

    @Override
    Stream<MalformedMessage> itsOwn(VhostUserSessionStage stage) {
        return Stream.of(wrong("never added", message()));
    }

    /** What comes is only closed. */
    @Override
    Stream<MalformedMessage> wrongKinds(VhostUserSessionStage stage) {
        return Stream.empty();
    }

    @Override
    boolean fdsAreOptional() {
        return true;
    }
}
