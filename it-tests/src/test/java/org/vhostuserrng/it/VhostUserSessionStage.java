package org.vhostuserrng.it;

import static org.vhostuserrng.it.EventualAssertions.PATIENCE;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import org.vhostuserrng.frontend.EntropyDriver;
import org.vhostuserrng.frontend.EntropyDriver.Options;
import org.vhostuserrng.frontend.FrontendSession;
import org.vhostuserrng.frontend.ProtocolFeatureBit;
import org.vhostuserrng.frontend.VirtioFeatureBit;

/** How far a session has come. */
enum VhostUserSessionStage {
    /** Not even SET_OWNER was sent. */
    CONNECTED {
        @Override
        Peer reach(Path socket) throws IOException {
            FrontendSession session = FrontendSession.connect(socket, PATIENCE);
            return new Peer(session, session::close);
        }
    },
    /** SET_FEATURES was not. */
    OWNED {
        @Override
        Peer reach(Path socket) throws IOException {
            return Peer.of(EntropyDriver.initialise(socket, OPTIONS));
        }
    },
    /** No memory is known. */
    WITHOUT_MEMORY {
        @Override
        Peer reach(Path socket) throws IOException {
            EntropyDriver guest = EntropyDriver.initialise(socket, OPTIONS);
            guest.session().setFeatures(FEATURES | guest.features());
            return Peer.of(guest);
        }
    },
    /** The ring ran, and was stopped. */
    RING_STOPPED {
        @Override
        Peer reach(Path socket) throws IOException {
            EntropyDriver guest = running(socket);
            guest.session().stop();
            return Peer.of(guest);
        }
    },
    RING_RUNNING {
        @Override
        Peer reach(Path socket) throws IOException {
            return Peer.of(running(socket));
        }
    };

    /** The features of a session that has come to be with memory or without. */
    static final long FEATURES = VirtioFeatureBit.PROTOCOL_FEATURES.mask();

    private static final Options OPTIONS = Options.DEFAULT.withProtocolFeatures(Options.DEFAULT.protocolFeatures()
            | ProtocolFeatureBit.BACKEND_REQ.mask()
            | ProtocolFeatureBit.INFLIGHT_SHMFD.mask()
            | ProtocolFeatureBit.DEVICE_STATE.mask()
            | ProtocolFeatureBit.GET_VRING_BASE_INFLIGHT.mask()
            | ProtocolFeatureBit.GET_VRING_BASE_SKIP_DRAIN.mask());

    /** A front-end whose session has come there. */
    record Peer(FrontendSession session, Closeable owner) implements Closeable {
        private static Peer of(EntropyDriver guest) {
            return new Peer(guest.session(), guest::close);
        }

        @Override
        public void close() throws IOException {
            owner.close();
        }
    }

    /** Connects and goes that far. */
    abstract Peer reach(Path socket) throws IOException;

    private static EntropyDriver running(Path socket) throws IOException {
        EntropyDriver guest = EntropyDriver.start(socket, OPTIONS);
        guest.request(64, PATIENCE);
        return guest;
    }
}
