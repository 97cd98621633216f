package org.vhostuserrng.transport.loop;

import org.vhostuserrng.transport.sys.Epoll;
import org.vhostuserrng.transport.sys.HostFault;
import org.vhostuserrng.transport.sys.OwnedFd;

/** Descriptors in an epoll instance of their own, and the activities that wait for them. */
final class WatchedDescriptors implements AutoCloseable {
    private final Epoll epoll;
    private final ActivityTable table = new ActivityTable();
    private int ready;

    private WatchedDescriptors(Epoll epoll) {
        this.epoll = epoll;
    }

    /** None yet, of which at most {@code most} are found ready at a time; the next ones then, in the order they came. */
    static WatchedDescriptors open(int most) throws HostFault {
        return new WatchedDescriptors(Epoll.open(most));
    }

    /** Finds a descriptor ready that nobody waits for: {@link #token} tells. */
    void add(OwnedFd fd, long token) throws HostFault {
        epoll.add(fd, Epoll.EPOLLIN, token);
    }

    /** Finds these ready whenever any of those is. */
    void add(WatchedDescriptors others, long token) throws HostFault {
        others.epoll.addTo(epoll, token);
    }

    void add(Activity activity, OwnedFd fd, int events) throws HostFault {
        long token = table.add(activity);
        try {
            epoll.add(fd, events, token);
        } catch (HostFault refused) {
            table.remove(activity);
            throw refused;
        }
    }

    void modify(Activity activity, OwnedFd fd, int events) throws HostFault {
        epoll.modify(fd, events, table.token(activity));
    }

    /** The descriptor must still be open. */
    void remove(Activity activity, OwnedFd fd) {
        table.remove(activity);
        try {
            epoll.remove(fd);
        } catch (HostFault impossible) {
            throw new IllegalStateException("a watched descriptor that epoll does not know", impossible);
        }
    }

    /** Looks for ready ones, those of before are forgotten; waits as {@link Epoll#await}. */
    void await(int timeoutMillis) throws HostFault {
        ready = 0;
        ready = epoll.await(timeoutMillis);
    }

    /** How many are ready. */
    int ready() {
        return ready;
    }

    long token(int index) {
        return epoll.data(index);
    }

    /** Who waits for the {@code index}th ready one: null if nobody does any more. */
    Activity activity(int index) {
        return table.find(epoll.data(index));
    }

    void forgetReady() {
        ready = 0;
    }

    @Override
    public void close() {
        epoll.close();
    }
}
