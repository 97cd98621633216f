package org.vhostuserrng.transport.session;

import java.util.concurrent.Executor;
import org.vhostuserrng.transport.SessionPolicy;
import org.vhostuserrng.transport.VirtioDevice;
import org.vhostuserrng.transport.loop.EventLoop;
import org.vhostuserrng.transport.sys.ClosingLine;

/**
 * What stays the same over all the sessions of a guest.
 *
 * @param loop whose thread serves the guest
 * @param device the guest's own
 * @param policy the operator's
 * @param log where what it does is told
 * @param closing what its front-ends sent and is to be closed
 */
public record Guest(EventLoop loop, VirtioDevice device, SessionPolicy policy, GuestLog log, ClosingLine closing) {
    /**
     * A guest that has not connected yet.
     *
     * @param closers threads of {@link ClosingLine}s
     */
    public static Guest of(EventLoop loop, VirtioDevice device, SessionPolicy policy, Executor closers) {
        GuestLog log = new GuestLog(device.name(), loop::now);
        return new Guest(loop, device, policy, log, new ClosingLine(closers));
    }
}
