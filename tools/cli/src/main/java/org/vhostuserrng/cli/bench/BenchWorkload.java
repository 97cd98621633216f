package org.vhostuserrng.cli.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import org.vhostuserrng.frontend.EntropyDriver;
import org.vhostuserrng.frontend.VirtioFeatureBit;

/**
 * How one guest asks.
 *
 * @param buffer bytes of one request
 * @param depth requests in flight
 * @param spin whether it looks for completions without sleeping
 * @param packed whether its virtqueue is a packed one
 */
public record BenchWorkload(int buffer, int depth, boolean busyPoll, boolean packed) {
    private static final int BUFFER_ALIGNMENT = 64;
    private static final int PAGE_SIZE = 4096;
    private static final Duration REPLY_TIMEOUT = Duration.ofSeconds(2);

    /** Bytes from one buffer to the next. */
    int stride() {
        return Math.ceilDiv(buffer, BUFFER_ALIGNMENT) * BUFFER_ALIGNMENT;
    }

    /**
     * Connects such a guest and starts its requestq.
     *
     * @throws IOException when the back-end does not offer the format of virtqueue
     */
    public EntropyDriver start(Path socket) throws IOException {
        EntropyDriver driver = EntropyDriver.start(socket, options());
        if (packed && (driver.features() & VirtioFeatureBit.RING_PACKED.mask()) == 0) {
            driver.close();
            throw new IOException(socket + ": no packed virtqueue: the device does not offer VIRTIO_F_RING_PACKED,"
                    + " which vhost-user-rng does with --packed");
        }
        return driver;
    }

    private EntropyDriver.Options options() {
        long bytes = (long) stride() * depth;
        EntropyDriver.Options options = EntropyDriver.Options.DEFAULT;
        return options.withFeatures(options.features() | (packed ? VirtioFeatureBit.RING_PACKED.mask() : 0))
                .withReplyTimeout(REPLY_TIMEOUT)
                .withQueueSize(Math.max(4, Integer.highestOneBit(2 * depth - 1)))
                .withBufferMemory(Math.ceilDiv(bytes, PAGE_SIZE) * PAGE_SIZE);
    }
}
