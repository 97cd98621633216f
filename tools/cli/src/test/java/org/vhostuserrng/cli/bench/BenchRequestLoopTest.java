package org.vhostuserrng.cli.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import jnr.unixsocket.UnixSocketChannel;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.vhostuserrng.frontend.DeviceViolationException;
import org.vhostuserrng.frontend.DriverSplitRingAddresses;
import org.vhostuserrng.frontend.EntropyDriver;
import org.vhostuserrng.frontend.FrontendMessageType;
import org.vhostuserrng.frontend.FrontendPayloadEncoder;
import org.vhostuserrng.frontend.FrontendSocket;
import org.vhostuserrng.frontend.FrontendVhostUserConstants;
import org.vhostuserrng.frontend.VirtioFeatureBit;

/** Tests the measured loop with a fake clock and a fake device: the test writes the used ring. */
class BenchRequestLoopTest {
    private static final int LENGTH = 64;
    private static final Duration HANG_TIMEOUT = Duration.ofSeconds(30);
    private static final ValueLayout.OfShort LE16 = ValueLayout.JAVA_SHORT.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt LE32 = ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN);

    private UnixSocketChannel backend;
    private EntropyDriver driver;
    private MemorySegment available;
    private MemorySegment used;
    private int usedIndex;
    private BenchRequestLoop loop;
    private long now;
    private Runnable onClock = () -> {};

    /**
     * Connects a guest. Without protocol features, GET_FEATURES is the only message with a reply, so that the test can
     * send the replies in advance.
     */
    @BeforeEach
    void connect() throws IOException {
        UnixSocketChannel[] pair = UnixSocketChannel.pair();
        backend = pair[0];
        byte[] features = FrontendPayloadEncoder.message(
                FrontendMessageType.GET_FEATURES.id(),
                FrontendVhostUserConstants.FLAG_VERSION | FrontendVhostUserConstants.FLAG_REPLY,
                FrontendPayloadEncoder.u64(VirtioFeatureBit.VERSION_1.mask()));
        backend.write(ByteBuffer.wrap(features));
        backend.write(ByteBuffer.wrap(features));
        driver = EntropyDriver.start(FrontendSocket.wrap(pair[1]), EntropyDriver.Options.DEFAULT);
        DriverSplitRingAddresses addresses =
                (DriverSplitRingAddresses) driver.requestq().addresses();
        int size = addresses.queueSize();
        available = driver.memory().at(addresses.availableRing(), DriverSplitRingAddresses.availableRingSize(size));
        used = driver.memory().at(addresses.usedRing(), DriverSplitRingAddresses.usedRingSize(size));
    }

    @AfterEach
    void close() throws IOException {
        if (loop != null) {
            loop.close();
        }
        driver.close();
        backend.close();
    }

    private void startLoop(int depth) throws IOException {
        loop = new BenchRequestLoop(driver, new BenchWorkload(LENGTH, depth, true, false), HANG_TIMEOUT, this::clock);
    }

    private long clock() {
        onClock.run();
        return now;
    }

    private void runOnce() throws IOException {
        loop.run(0);
    }

    /** Uses the buffer of the next available-ring entry, as a device does. */
    private void deviceUses(int length) {
        int slot = usedIndex % driver.ring().queueSize();
        used.set(LE32, 4 + 8L * slot, available.get(LE16, 4 + 2L * slot));
        used.set(LE32, 8 + 8L * slot, length);
        usedIndex++;
        used.set(LE16, 2, (short) usedIndex);
    }

    @Test
    void depthRequestsStayInFlight() throws Exception {
        startLoop(3);
        deviceUses(LENGTH);

        runOnce();

        assertEquals(4, available.get(LE16, 2));
        assertEquals(driver.ring().queueSize() - 3, driver.ring().freeDescriptors());
    }

    @Test
    void requestsAndWrittenBytesAreCounted() throws Exception {
        startLoop(2);
        deviceUses(LENGTH);
        deviceUses(1);

        runOnce();

        BenchResult result = loop.result(1);
        assertEquals(2, result.latencies().getTotalCount());
        assertEquals(LENGTH + 1, result.bytes());
    }

    @Test
    void latencyIsTheTimeFromSubmissionToCompletion() throws Exception {
        startLoop(1);
        now += 50;
        deviceUses(LENGTH);

        runOnce();

        assertEquals(50, loop.result(1).latencies().getMaxValue());
    }

    @Test
    void latencyOfALaterRequestStartsAtItsOwnSubmission() throws Exception {
        startLoop(1);
        now += 50;
        deviceUses(LENGTH);
        runOnce();
        loop.resetMeasurements();
        now += 7;

        deviceUses(LENGTH);
        runOnce();

        assertEquals(7, loop.result(1).latencies().getMaxValue());
    }

    @Test
    void awaitCompletionRunsUntilARequestIsMeasured() throws Exception {
        startLoop(1);
        onClock = () -> {
            now += HANG_TIMEOUT.toNanos() / 1000;
            if (now > HANG_TIMEOUT.toNanos() / 2 && usedIndex == 0) {
                deviceUses(LENGTH);
            }
        };

        loop.awaitCompletion();

        assertEquals(1, loop.result(1).latencies().getTotalCount());
    }

    @Test
    void resetDiscardsMeasurements() throws Exception {
        startLoop(1);
        deviceUses(LENGTH);
        runOnce();

        loop.resetMeasurements();

        assertEquals(0, loop.result(1).latencies().getTotalCount());
        assertEquals(0, loop.result(1).bytes());
    }

    @Test
    void interruptsAreCounted() throws Exception {
        startLoop(1);
        driver.requestq().call().signal();
        driver.requestq().call().signal();

        assertEquals(2, loop.result(1).interrupts());
    }

    @Test
    void usedLengthOfZeroIsADeviceViolation() throws Exception {
        startLoop(1);
        deviceUses(0);

        assertThrows(DeviceViolationException.class, this::runOnce);
    }

    @Test
    void usedLengthAboveTheBufferSizeIsADeviceViolation() throws Exception {
        startLoop(1);
        deviceUses(LENGTH + 1);

        assertThrows(DeviceViolationException.class, this::runOnce);
    }

    @Test
    void disconnectEndsTheLoop() throws Exception {
        startLoop(1);
        backend.close();
        onClock = () -> now++;

        IOException closed = assertThrows(IOException.class, () -> loop.run(HANG_TIMEOUT.toNanos() / 2));

        assertTrue(closed.getMessage().contains("closed"), closed::getMessage);
    }

    @Test
    void stalledDeviceEndsTheLoop() throws Exception {
        startLoop(1);
        onClock = () -> now += HANG_TIMEOUT.toNanos() / 1000;

        IOException stalled = assertThrows(
                IOException.class, () -> loop.run(Duration.ofDays(1).toNanos()));

        assertTrue(stalled.getMessage().contains("stalled"), stalled::getMessage);
    }
}
