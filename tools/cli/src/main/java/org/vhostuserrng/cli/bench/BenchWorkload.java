package org.vhostuserrng.cli.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import org.vhostuserrng.frontend.EntropyDriver;
import org.vhostuserrng.frontend.RequestqDriver;
import org.vhostuserrng.frontend.VfioUserEntropyDriver;
import org.vhostuserrng.frontend.VirtioFeatureBit;

/**
 * The load that one guest generates.
 *
 * @param buffer size of a request in bytes
 * @param depth number of in-flight requests
 * @param busyPoll whether the guest busy-polls the used ring instead of sleeping
 * @param packed whether the guest uses a packed virtqueue
 */
public record BenchWorkload(int buffer, int depth, boolean busyPoll, boolean packed) {
    private static final int BUFFER_ALIGNMENT = 64;
    private static final int PAGE_SIZE = 4096;

    /** Distance between the starts of two adjacent buffers in bytes. */
    int stride() {
        return Math.ceilDiv(buffer, BUFFER_ALIGNMENT) * BUFFER_ALIGNMENT;
    }

    /**
     * Connects a guest to the back-end and starts its requestq.
     *
     * @param replyTimeout time to wait for each reply of the back-end
     * @throws IOException if the back-end does not offer the format of this workload's virtqueue
     */
    public EntropyDriver start(Path socket, Duration replyTimeout) throws IOException {
        EntropyDriver driver = EntropyDriver.start(socket, options(replyTimeout));
        requireFormat(socket, driver);
        return driver;
    }

    /** Like {@link #start}, for the socket of a vfio-user server. */
    public VfioUserEntropyDriver startVfioUser(Path socket, Duration replyTimeout) throws IOException {
        VfioUserEntropyDriver driver = VfioUserEntropyDriver.start(socket, options(replyTimeout));
        requireFormat(socket, driver);
        return driver;
    }

    private void requireFormat(Path socket, RequestqDriver driver) throws IOException {
        if (packed && (driver.features() & VirtioFeatureBit.RING_PACKED.mask()) == 0) {
            driver.close();
            throw new IOException(socket + ": the device does not offer VIRTIO_F_RING_PACKED;"
                    + " vhost-user-rng offers it with --packed");
        }
    }

    private EntropyDriver.Options options(Duration replyTimeout) {
        long bytes = (long) stride() * depth;
        EntropyDriver.Options options = EntropyDriver.Options.DEFAULT;
        return options.withFeatures(options.features() | (packed ? VirtioFeatureBit.RING_PACKED.mask() : 0))
                .withReplyTimeout(replyTimeout)
                .withQueueSize(Math.max(4, Integer.highestOneBit(2 * depth - 1)))
                .withBufferMemory(Math.ceilDiv(bytes, PAGE_SIZE) * PAGE_SIZE);
    }
}
