package org.vhostuserrng.transport.vhostuser.session;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.vhostuserrng.libc.OwnedFd;
import org.vhostuserrng.transport.sys.MemoryMapping;
import org.vhostuserrng.transport.sys.NotificationFd;
import org.vhostuserrng.transport.sys.NotificationFd.Direction;
import org.vhostuserrng.transport.sys.PeerFileExecutor;
import org.vhostuserrng.transport.sys.PeerPipeEnd;
import org.vhostuserrng.transport.vhostuser.VhostUserOptions;
import org.vhostuserrng.transport.vhostuser.protocol.BackendRequestChannel;
import org.vhostuserrng.transport.vhostuser.protocol.FrontendRequest;
import org.vhostuserrng.transport.vhostuser.session.MemoryTable.MappedRegions;

/**
 * The files of one request. {@link #prepare} checks, seals and maps them. If this {@link #mayBlock may block}, it must
 * run in the front-end's {@link PeerFileExecutor}. The request is executed afterwards, and takes the results. Confined
 * to the loop's thread, except for {@link #prepare} and {@link #close}.
 */
final class RequestFiles implements AutoCloseable {
    private final FrontendRequest request;
    private final List<OwnedFd> fds;
    private final MemoryTable memory;
    private final VhostUserOptions options;

    // The results of prepare(), published to the loop's thread by the volatile field.
    /** The object that was created from the descriptors; null if there is none. */
    private AutoCloseable prepared;

    private IOException refusal;
    private volatile boolean complete;

    /**
     * Takes ownership of the descriptors of a request.
     *
     * @param memory the memory table to which the request may add a region; does not change until the request is
     *     executed
     */
    RequestFiles(FrontendRequest request, List<OwnedFd> fds, MemoryTable memory, VhostUserOptions options) {
        this.request = request;
        this.fds = new ArrayList<>(fds);
        this.memory = memory;
        this.options = options;
    }

    /** Returns whether {@link #prepare} may block on a file of the front-end. */
    boolean mayBlock() {
        return !fds.isEmpty() && !(isNotification() && NotificationFd.isEventFd(fds.getFirst()));
    }

    private boolean isNotification() {
        return switch (request) {
            case FrontendRequest.SetLogFd _,
                    FrontendRequest.SetVringKick _,
                    FrontendRequest.SetVringCall _,
                    FrontendRequest.SetVringErr _ -> true;
            default -> false;
        };
    }

    /** Prepares the files. If a file is refused, {@link #take} will throw the reason. */
    void prepare() {
        try {
            if (!fds.isEmpty()) {
                prepared = adopt();
            }
        } catch (IOException refused) {
            refusal = refused;
        } finally {
            fds.forEach(OwnedFd::close);
            complete = true;
        }
    }

    /** Returns whether {@link #prepare} has ended. */
    boolean isPrepared() {
        return complete;
    }

    private AutoCloseable adopt() throws IOException {
        return switch (request) {
            case FrontendRequest.SetMemTable(List<FrontendRequest.MemoryRegion> table) ->
                MemoryTable.empty().map(table, takeFds(), options);
            case FrontendRequest.AddMemReg(FrontendRequest.MemoryRegion region) ->
                memory.map(List.of(region), takeFds(), options);
            case FrontendRequest.SetLogBase(long size, long offset) ->
                MemoryMapping.adopt(fds.removeFirst(), offset, size);
            case FrontendRequest.SetInflightFd(FrontendRequest.Inflight given) ->
                MemoryMapping.adopt(fds.removeFirst(), given.mmapOffset(), given.mmapSize());
            case FrontendRequest.SetVringKick _ -> NotificationFd.adopt(fds.removeFirst(), Direction.FROM_FRONTEND);
            case FrontendRequest.SetLogFd _, FrontendRequest.SetVringCall _, FrontendRequest.SetVringErr _ ->
                NotificationFd.adopt(fds.removeFirst(), Direction.TO_FRONTEND);
            case FrontendRequest.SetBackendReqFd _ -> BackendRequestChannel.open(fds.removeFirst());
            case FrontendRequest.SetDeviceStateFd _ -> PeerPipeEnd.adopt(fds.removeFirst());
            default -> null;
        };
    }

    private List<OwnedFd> takeFds() {
        List<OwnedFd> taken = List.copyOf(fds);
        fds.clear();
        return taken;
    }

    /**
     * Transfers the ownership of the prepared object to the caller: mapped regions, the mapping of a dirty log or
     * inflight buffer, a notification descriptor, a channel for back-end requests, or the pipe of a device state
     * transfer.
     *
     * @return the prepared object; null if the front-end sent no descriptor
     * @throws IOException if the file was refused
     */
    <T extends AutoCloseable> T take(Class<T> type) throws IOException {
        if (refusal != null) {
            throw refusal;
        }
        T taken = type.cast(prepared);
        prepared = null;
        return taken;
    }

    /** Closes the files and objects that were not taken. */
    @Override
    public void close() {
        fds.forEach(OwnedFd::close);
        switch (prepared) {
            case null -> {
                // The object was taken, a file was refused, or the request has no files.
            }
            case MappedRegions regions -> regions.close();
            case MemoryMapping mapping -> mapping.close();
            case NotificationFd notification -> notification.close();
            case BackendRequestChannel channel -> channel.close();
            case PeerPipeEnd pipe -> pipe.close();
            default -> throw new IllegalStateException(prepared.toString());
        }
        prepared = null;
    }
}
