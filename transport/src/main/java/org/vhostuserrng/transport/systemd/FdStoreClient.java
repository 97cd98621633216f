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
 * The file descriptor store of the service manager (systemd, "The File Descriptor Store"; sd_notify(3)). It keeps
 * descriptors while this service is restarted, and passes them to the next process as {@link ListenFds}. The service
 * manager never reports that the store is full or switched off. Confined to one thread at a time.
 *
 * <p>The service manager drops a descriptor of an open file description that it has already. Where it cannot compare
 * descriptions (neither F_DUPFD_QUERY nor kcmp(2)), systemd takes descriptors of the same inode for the same one, so
 * that of all eventfds only one would be stored. What this program stores has an inode of its own each time: a datagram
 * socket, which has the descriptors of a session in its queue, or a memfd.
 */
public final class FdStoreClient implements AutoCloseable {
    private static final String FDSTORE = "FDSTORE";
    private static final int MAX_BUSY_MILLIS = 5000;

    /** {@link #capacity}: the service manager does not tell, as systemd before version 254. */
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
     * @return null without a service manager, or if its store is switched off
     * @throws IOException with the variable, its value and the expected form, if a variable is malformed
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
        throw new IOException(FDSTORE + "='" + value + "': expected a number from 0");
    }

    /** The number of descriptors that the store holds at most, or {@link #UNKNOWN_CAPACITY}. */
    public int capacity() {
        return capacity;
    }

    /**
     * Stores a duplicate of a descriptor until {@link #remove}. It stays in the store when it hangs up.
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
     * Removes all descriptors of a name.
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
     * Creates memory that outlives this process. It is in the store when this method returns. Blocks while the service
     * manager is busy.
     *
     * @param name as in {@link #add}
     * @param size in bytes
     * @return zeros; any thread may access them until the process exits
     * @throws IOException also if the service manager is busy for {@value #MAX_BUSY_MILLIS} ms
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
     * The memory that another process created with {@link #addMemory}. It stays in the store.
     *
     * @param fd from {@link ListenFds}; this method closes it
     * @param size in bytes
     * @return any thread may access it until the process exits
     * @throws IOException if it is no memory of at least this size
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
