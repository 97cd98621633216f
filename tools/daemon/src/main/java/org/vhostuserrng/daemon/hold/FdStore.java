package org.vhostuserrng.daemon.hold;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.vhostuserrng.daemon.hold.sys.OpenFileSet;
import org.vhostuserrng.libc.OwnedFd;

/**
 * systemd's file descriptor store: holds and owns descriptors that a service has sent, each with a name. Several
 * descriptors may have the same name. Confined to one thread.
 */
final class FdStore {
    /** The name of descriptors that were sent without a name. */
    static final String DEFAULT_NAME = "stored";

    private final int maxFds;
    private final OpenFileSet files;
    private final Map<String, List<StoredFd>> byName = new LinkedHashMap<>();
    private int size;

    /** A descriptor, and whether it is removed when its other end has hung up. */
    private record StoredFd(OwnedFd fd, boolean poll) {}

    /** The result of {@link #add}. */
    enum Outcome {
        STORED,
        /** The store already has a descriptor of the same open file description; that one keeps its name. */
        DUPLICATE,
        FULL
    }

    FdStore(int maxFds, OpenFileSet files) {
        this.maxFds = maxFds;
        this.files = files;
    }

    /**
     * Stores a descriptor; closes it if the result is not {@code STORED}.
     *
     * @param poll whether {@link #removeIf} may remove it
     */
    Outcome add(String name, OwnedFd fd, boolean poll) {
        Outcome outcome = size == maxFds ? Outcome.FULL : files.add(fd) ? Outcome.STORED : Outcome.DUPLICATE;
        if (outcome == Outcome.STORED) {
            byName.computeIfAbsent(name, unknown -> new ArrayList<>(1)).add(new StoredFd(fd, poll));
            size++;
        } else {
            fd.close();
        }
        return outcome;
    }

    /** Removes and closes all descriptors with a name. */
    void remove(String name) {
        List<StoredFd> named = byName.remove(name);
        if (named != null) {
            named.forEach(this::close);
        }
    }

    /** Removes and closes the descriptors that may be polled and fulfil a condition. Returns their number. */
    int removeIf(Predicate<OwnedFd> condition) {
        int before = size;
        for (Iterator<List<StoredFd>> names = byName.values().iterator(); names.hasNext(); ) {
            List<StoredFd> named = names.next();
            named.removeIf(stored -> {
                boolean removed = stored.poll && condition.test(stored.fd);
                if (removed) {
                    close(stored);
                }
                return removed;
            });
            if (named.isEmpty()) {
                names.remove();
            }
        }
        return before - size;
    }

    private void close(StoredFd stored) {
        files.remove(stored.fd);
        stored.fd.close();
        size--;
    }

    int size() {
        return size;
    }

    /** Returns all descriptors with their names. The store remains their owner. */
    List<NamedFd> all() {
        List<NamedFd> all = new ArrayList<>(size);
        byName.forEach((name, named) -> named.forEach(stored -> all.add(new NamedFd(name, stored.fd))));
        return all;
    }
}
