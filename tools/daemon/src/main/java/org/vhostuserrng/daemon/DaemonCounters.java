package org.vhostuserrng.daemon;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vhostuserrng.backends.source.SourceFailureCounts;
import org.vhostuserrng.backends.source.SourceRegistry;
import org.vhostuserrng.device.rng.VirtioRngDevice;
import org.vhostuserrng.libc.NativePath;
import org.vhostuserrng.transport.counters.CounterField;
import org.vhostuserrng.transport.counters.CounterField.Kind;
import org.vhostuserrng.transport.counters.CounterSlot;
import org.vhostuserrng.transport.counters.CountersFile;
import org.vhostuserrng.transport.vhostuser.server.VhostUserServer;

/**
 * Writes the counters file of {@code --counters-file}: the counters of the sources, of the event loop and of each
 * guest. Does nothing without the option. Confined to the event loop's thread.
 */
final class DaemonCounters implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(DaemonCounters.class);

    /** Interval at which values that change without a request are written. */
    private static final long REFRESH_NANOS = 1_000_000_000L;

    private static final int READ_FAILURES = 0;
    private static final int HEALTH_TEST_FAILURES = 1;
    private static final int END_OF_FILES = 2;
    private static final int FAILOVERS = 3;
    private static final int LONGEST_ITERATION = 4;
    private static final int SOURCES_QUARANTINED = 5;
    private static final int HEALTH = 6;
    private static final List<CounterField> FIELDS = List.of(
            new CounterField("source_read_failures", Kind.COUNTER, "", 0),
            new CounterField("source_health_test_failures", Kind.COUNTER, "", 0),
            new CounterField("source_ends_of_file", Kind.COUNTER, "", 0),
            new CounterField("source_failovers", Kind.COUNTER, "", 0),
            new CounterField("longest_loop_iteration", Kind.GAUGE, "ns", 0),
            new CounterField("sources_quarantined", Kind.GAUGE, "", 0),
            new CounterField("health", Kind.GAUGE, "", 0));

    /** Null without {@code --counters-file}. */
    private final CountersFile file;

    private final Map<VirtioRngDevice, CounterSlot> slots = new LinkedHashMap<>();
    /** The counters in the file when this process opened it: this process counts on from them. */
    private final long[] before = new long[FAILOVERS + 1];

    private DaemonCounters(CountersFile file) {
        this.file = file;
        for (int field = 0; file != null && field < before.length; field++) {
            before[field] = file.daemonSlot().get(field);
        }
    }

    /**
     * Creates the counters file, or opens the file of an earlier process and continues its counters.
     *
     * @param path null without the option
     * @param required whether a file that cannot be used is an error; otherwise it is logged, and nothing is counted
     * @throws BadUsageException if the file cannot be used; its content is then unchanged
     */
    static DaemonCounters open(Path path, List<RngEndpoint> endpoints, boolean required) throws BadUsageException {
        if (path == null) {
            return new DaemonCounters(null);
        }
        List<String> guests = endpoints.stream().map(RngEndpoint::guestName).toList();
        try {
            return new DaemonCounters(CountersFile.open(
                    path, FIELDS, VirtioRngDevice.counterFields(), guests, Instant.now(), System.nanoTime()));
        } catch (IOException unusable) {
            String message = DaemonOptions.COUNTERS_FILE + "='" + NativePath.text(path) + "': the file "
                    + unusable.getMessage()
                    + "; expected a new file, or a counters file of this user that no process writes";
            if (required) {
                throw new BadUsageException(message, unusable);
            }
            LOG.warn("{}; nothing is counted until a restart", message);
            return new DaemonCounters(null);
        }
    }

    /**
     * Adds a guest to the file, and lets its device count there. Has no effect if the device does so already.
     *
     * @throws IOException if the file has no slot for a guest with a new name
     */
    void add(VirtioRngDevice device, long now) throws IOException {
        if (file != null && !slots.containsKey(device)) {
            CounterSlot slot = file.addGuest(device.name());
            device.countIn(slot);
            device.refreshCounters(now, realtime());
            slots.put(device, slot);
        }
    }

    /** Removes a guest that this process no longer serves. Its counters stay in the file. */
    void remove(VirtioRngDevice device) {
        CounterSlot slot = slots.remove(device);
        if (slot != null) {
            file.removeGuest(slot);
        }
    }

    /** Keeps the file current while the server runs. */
    void schedule(VhostUserServer server, SourceRegistry sources, DaemonHealth health) {
        if (file != null) {
            server.schedulePeriodically(REFRESH_NANOS, () -> refresh(server, sources, health));
        }
    }

    /** Writes what changes without a request. */
    void refresh(VhostUserServer server, SourceRegistry sources, DaemonHealth health) {
        if (file == null) {
            return;
        }
        SourceFailureCounts failures = sources.failures();
        CounterSlot slot = file.daemonSlot();
        slot.set(READ_FAILURES, before[READ_FAILURES] + failures.readFailures());
        slot.set(HEALTH_TEST_FAILURES, before[HEALTH_TEST_FAILURES] + failures.healthTestFailures());
        slot.set(END_OF_FILES, before[END_OF_FILES] + failures.endOfFiles());
        slot.set(FAILOVERS, before[FAILOVERS] + sources.failoverCount());
        slot.set(LONGEST_ITERATION, server.longestIteration());
        slot.set(SOURCES_QUARANTINED, sources.quarantinedCount());
        slot.set(HEALTH, health.status().counterValue());
        long now = server.now();
        long realtime = realtime();
        for (VirtioRngDevice device : slots.keySet()) {
            device.refreshCounters(now, realtime);
        }
    }

    private static long realtime() {
        Instant now = Instant.now();
        return now.getEpochSecond() * 1_000_000_000L + now.getNano();
    }

    /** Records in the file that the process ended in an orderly way. */
    @Override
    public void close() {
        if (file != null) {
            file.stop(Instant.now());
            file.close();
        }
    }
}
