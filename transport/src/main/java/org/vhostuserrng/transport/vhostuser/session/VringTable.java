package org.vhostuserrng.transport.vhostuser.session;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import org.vhostuserrng.transport.loop.EventHandler;
import org.vhostuserrng.transport.vhostuser.protocol.ProtocolViolationException;

/** All vrings of a session, and operations on all of them. Confined to the loop's thread. */
final class VringTable implements IotlbListener, AutoCloseable {
    private final Vring[] vrings;

    /** Creates a stopped vring for each virtqueue of the guest's device. */
    VringTable(GuestContext guest, SessionState session, EventHandler sessionHandler) {
        vrings = new Vring[guest.device().queueCount()];
        Arrays.setAll(vrings, index -> new Vring(index, guest, session, sessionHandler));
    }

    int count() {
        return vrings.length;
    }

    Vring get(int index) throws ProtocolViolationException {
        if (index < 0 || index >= vrings.length) {
            throw new ProtocolViolationException(
                    "vring " + Integer.toUnsignedString(index) + ", expected an index below " + vrings.length);
        }
        return vrings[index];
    }

    /** vhost-user, "Suspended device state": returns whether all vrings are stopped. */
    boolean areStopped() {
        for (Vring vring : vrings) {
            if (vring.isStarted()) {
                return false;
            }
        }
        return true;
    }

    void suspend() {
        for (Vring vring : vrings) {
            vring.suspend();
        }
    }

    void resume() {
        for (Vring vring : vrings) {
            vring.resume();
        }
    }

    void resumeSession() {
        for (Vring vring : vrings) {
            vring.resumeSession();
        }
    }

    void reset() {
        for (Vring vring : vrings) {
            vring.reset();
        }
    }

    void setEnabled(boolean enabled) throws ProtocolViolationException {
        for (Vring vring : vrings) {
            vring.setEnabled(enabled);
        }
    }

    void setBufferLogging(boolean on) {
        for (Vring vring : vrings) {
            vring.setBufferLogging(on);
        }
    }

    @Override
    public void iotlbChanging(long first, long last) {
        for (Vring vring : vrings) {
            vring.suspendIfIn(first, last);
        }
    }

    @Override
    public void iotlbUpdated(long first, long last) {
        for (Vring vring : vrings) {
            vring.iotlbUpdated(first, last);
        }
    }

    /** Drains the started vrings again. */
    void dispatch() {
        for (Vring vring : vrings) {
            vring.dispatchIfStarted();
        }
    }

    List<VringSnapshot> snapshots() {
        return Arrays.stream(vrings).map(Vring::snapshot).toList();
    }

    /** Continues the vrings of a previous process. */
    void restore(List<VringSnapshot> snapshots, RestoredFiles files) throws ProtocolViolationException, IOException {
        for (VringSnapshot snapshot : snapshots) {
            get(snapshot.index()).restore(snapshot, files);
        }
    }

    @Override
    public void close() {
        for (Vring vring : vrings) {
            vring.close();
        }
    }
}
