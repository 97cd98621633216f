package org.vhostuserrng.it;

import static org.vhostuserrng.frontend.FrontendMessageType.REM_MEM_REG;

import java.util.stream.Stream;

/** VHOST_USER_REM_MEM_REG. */
class RemMemRegIT extends MessageContract {
    RemMemRegIT() {
        super(Message.of(REM_MEM_REG, Regions.firstAlone(), FdKind.MEMORY));
    }

    @Override
    Stream<Malformation> itsOwn(SessionStage stage) {
        return Stream.of(wrong("never added", message()));
    }

    /** What comes is only closed. */
    @Override
    Stream<Malformation> wrongKinds(SessionStage stage) {
        return Stream.empty();
    }

    @Override
    boolean fdsAreOptional() {
        return true;
    }
}
