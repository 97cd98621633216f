package org.vhostuserrng.cli.trace;

import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;

/** The protocol of a session: the one of {@code --protocol}, or the one of its first message. Thread-safe. */
final class TraceProtocolDetector {
    private final AtomicReference<TraceProtocol> protocol;

    /**
     * Creates a detector for one session.
     *
     * @param given the protocol, if it is not to be detected
     */
    TraceProtocolDetector(Optional<TraceProtocol> given) {
        protocol = new AtomicReference<>(given.orElse(null));
    }

    /** The protocol; empty before the first message. */
    Optional<TraceProtocol> known() {
        return Optional.ofNullable(protocol.get());
    }

    /** Returns the protocol. The first call determines it, by the first bytes of the session. */
    TraceProtocol detect(byte[] beginning) {
        TraceProtocol known = protocol.get();
        if (known == null) {
            protocol.compareAndSet(null, TraceProtocol.detect(beginning));
            known = protocol.get();
        }
        return known;
    }
}
