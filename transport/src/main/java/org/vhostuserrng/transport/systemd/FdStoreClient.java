package org.vhostuserrng.transport.systemd;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.vhostuserrng.libc.Errno;
import org.vhostuserrng.libc.ErrnoException;
import org.vhostuserrng.libc.OwnedFd;
import org.vhostuserrng.transport.sys.MemoryMapping;
import org.vhostuserrng.transport.sys.SealedMemfd;
import org.vhostuserrng.transport.sys.UnixDatagramSocket;

/**
 * A client of the service manager's file descriptor store (systemd, "The File Descriptor Store"; sd_notify(3)). The
 * store keeps descriptors open while this service restarts, and passes them to the next process as {@link ListenFds}.
 * The service manager does not report that the store is full or switched off. Confined to one thread at a time.
 *
 * <p>The service manager drops a descriptor whose open file description is already in the store. If systemd can compare
 * descriptions neither by F_DUPFD_QUERY nor by kcmp(2), it compares inodes. All eventfds have the same inode, so it
 * would store only one of them. Therefore this program stores only files with an inode of their own: a memfd, or a
 * datagram socket whose queue contains the descriptors of a session.
 */
public final class FdStoreClient implements AutoCloseable {
    private static final String FDSTORE = "FDSTORE";
    private static final int MAX_BUSY_MILLIS = 5000;

    /** Returned by {@link #capacity} if the service manager does not set FDSTORE, as systemd before version 254. */
    public static final int UNKNOWN_CAPACITY = -1;

    private final UnixDatagramSocket serviceManager;
    private final int capacity;

    private FdStoreClient(UnixDatagramSocket serviceManager, int capacity) {
        this.serviceManager = serviceManager;
        this.capacity = capacity;
    }

    /**
     * Opens the store.
     *
     * @param environment the variables NOTIFY_SOCKET and FDSTORE
     * @return the store; null without a service manager, or if its store is switched off
     * @throws IOException if a variable is malformed; the message has the variable, its value and the expected form
     */
    public static FdStoreClient open(Map<String, String> environment) throws IOException {
        int capacity = capacity(environment.get(FDSTORE));
        UnixDatagramSocket serviceManager = capacity == 0 ? null : NotifySocketAddress.open(environment);
        return serviceManager == null ? null : new FdStoreClient(serviceManager, capacity);
    }

    private static int capacity(String value) throws IOException {
        if (value == null) {
            return UNKNOWN_CAPACITY;
        }
        try {
            int capacity = Integer.parseInt(value);
            if (capacity >= 0) {
                return capacity;
            }
        } catch (NumberFormatException notANumber) {
            // Reported below.
        }
        throw new IOException(FDSTORE + "='" + value + "': expected a number, 0 or more");
    }

    /** The maximum number of descriptors in the store, or {@link #UNKNOWN_CAPACITY}. */
    public int capacity() {
        return capacity;
    }

    /**
     * Stores a duplicate of a descriptor until {@link #remove}, even if the descriptor reports EPOLLHUP or EPOLLERR.
     *
     * @param name at most 255 printable ASCII characters without a colon
     * @return false if the service manager is busy: try again later
     */
    @SuppressWarnings("exports")
    public boolean add(String name, OwnedFd fd) throws IOException {
        try {
            serviceManager.send(message("FDSTORE=1\nFDPOLL=0\nFDNAME=" + name), fd);
            return true;
        } catch (ErrnoException refused) {
            return retryLater(refused);
        }
    }

    /**
     * Removes all descriptors with a name.
     *
     * @return false if the service manager is busy: try again later
     */
    public boolean remove(String name) throws IOException {
        try {
            serviceManager.send(message("FDSTOREREMOVE=1\nFDNAME=" + name));
            return true;
        } catch (ErrnoException refused) {
            return retryLater(refused);
        }
    }

    /**
     * Creates memory that outlives this process, and adds it to the store. Blocks while the service manager is busy.
     *
     * @param name as in {@link #add}
     * @param size in bytes
     * @return zeroed memory; any thread may access it until the process exits
     * @throws IOException if the memory cannot be created, or if the service manager is busy for
     *     {@value #MAX_BUSY_MILLIS} ms
     */
    public MemorySegment addMemory(String name, long size) throws IOException {
        try (OwnedFd file = SealedMemfd.create("vhost-user-rng " + name, size)) {
            MemorySegment memory = MemoryMapping.mapUntilExit(file, size);
            for (int waited = 0; !add(name, file); waited++) {
                if (waited == MAX_BUSY_MILLIS) {
                    throw new IOException("the service manager does not accept " + name + " for its store");
                }
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
            }
            return memory;
        }
    }

    /**
     * Maps memory that another process created with {@link #addMemory}. The memory stays in the store.
     *
     * @param fd the number of the memory's descriptor, from {@link ListenFds}; this method closes the descriptor
     * @param size in bytes
     * @return the memory; any thread may access it until the process exits
     * @throws IOException if the descriptor is not memory of at least this size
     */
    public static MemorySegment memory(int fd, long size) throws IOException {
        try (OwnedFd file = new OwnedFd(fd)) {
            return MemoryMapping.mapUntilExit(file, size);
        }
    }

    private static byte[] message(String state) {
        return state.getBytes(StandardCharsets.UTF_8);
    }

    private static boolean retryLater(ErrnoException refused) throws ErrnoException {
        if (refused.errno() == Errno.EAGAIN) {
            return false;
        }
        throw refused;
    }

    @Override
    public void close() {
        serviceManager.close();
    }
}
