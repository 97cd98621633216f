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
import org.vhostuserrng.frontend.FrontendVhostUserSpec;
import org.vhostuserrng.frontend.VirtioFeatureBit;

/** The loop against a device whose half of the ring the test writes itself. */
class BenchRequestLoopTest {
    private static final int LENGTH = 64;
    private static final long ONE_TURN = Duration.ofMillis(1).toNanos();
    private static final ValueLayout.OfShort LE16 = ValueLayout.JAVA_SHORT.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt LE32 = ValueLayout.JAVA_INT.withOrder(ByteOrder.LITTLE_ENDIAN);

    private UnixSocketChannel backend;
    private EntropyDriver driver;
    private MemorySegment available;
    private MemorySegment used;
    private int usedIndex;
    private BenchRequestLoop loop;

    /** A back-end without protocol features has nothing to answer but GET_FEATURES, which can be answered ahead. */
    @BeforeEach
    void connect() throws IOException {
        UnixSocketChannel[] pair = UnixSocketChannel.pair();
        backend = pair[0];
        byte[] features = FrontendPayloadEncoder.message(
                FrontendMessageType.GET_FEATURES.id(),
                FrontendVhostUserSpec.FLAG_VERSION | FrontendVhostUserSpec.FLAG_REPLY,
                FrontendPayloadEncoder.u64(VirtioFeatureBit.VERSION_1.mask()));
        backend.write(ByteBuffer.wrap(features));
        backend.write(ByteBuffer.wrap(features));
        driver = EntropyDriver.start(FrontendSocket.wrap(pair[1]), EntropyDriver.Options.DEFAULT);
        DriverSplitRingAddresses layout =
                (DriverSplitRingAddresses) driver.requestq().addresses();
        int size = layout.queueSize();
        available = driver.memory().at(layout.availableRing(), DriverSplitRingAddresses.availableRingSize(size));
        used = driver.memory().at(layout.usedRing(), DriverSplitRingAddresses.usedRingSize(size));
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
        loop = new BenchRequestLoop(driver, new BenchWorkload(LENGTH, depth, true, false));
    }

    /** Uses the buffer at the next entry of the available ring. */
    private void deviceUses(int length) {
        int slot = usedIndex % driver.ring().queueSize();
        used.set(LE32, 4 + 8L * slot, available.get(LE16, 4 + 2L * slot));
        used.set(LE32, 8 + 8L * slot, length);
        usedIndex++;
        used.set(LE16, 2, (short) usedIndex);
    }

    @Test
    void keepsDepthRequestsInFlight() throws Exception {
        startLoop(3);
        deviceUses(LENGTH);

        loop.run(ONE_TURN);

        assertEquals(4, available.get(LE16, 2));
        assertEquals(driver.ring().queueSize() - 3, driver.ring().freeDescriptors());
    }

    @Test
    void countsRequestsAndTheBytesTheDeviceWrote() throws Exception {
        startLoop(2);
        deviceUses(LENGTH);
        deviceUses(1);

        loop.run(ONE_TURN);

        BenchResult result = loop.result(ONE_TURN);
        assertEquals(2, result.latencies().getTotalCount());
        assertEquals(LENGTH + 1, result.bytes());
    }

    @Test
    void latencyCoversTheWholeTimeARequestWasInFlight() throws Exception {
        startLoop(1);
        loop.run(Duration.ofMillis(50).toNanos());
        deviceUses(LENGTH);

        loop.run(ONE_TURN);

        long latency = loop.result(ONE_TURN).latencies().getMaxValue();
        assertTrue(latency >= Duration.ofMillis(50).toNanos(), () -> latency + " ns");
    }

    @Test
    void latencyOfARequestBeginsWhenItWasMadeAvailableItself() throws Exception {
        startLoop(1);
        loop.run(Duration.ofMillis(50).toNanos());
        long beforeItsSubmission = System.nanoTime();
        deviceUses(LENGTH);
        loop.run(ONE_TURN);
        loop.resetMeasurements();

        deviceUses(LENGTH);
        loop.run(ONE_TURN);

        long longest = System.nanoTime() - beforeItsSubmission;
        long latency = loop.result(ONE_TURN).latencies().getMinValue();
        assertTrue(latency <= longest, () -> latency + " ns of at most " + longest);
    }

    @Test
    void whatWasForgottenIsNotInTheResult() throws Exception {
        startLoop(1);
        deviceUses(LENGTH);
        loop.run(ONE_TURN);

        loop.resetMeasurements();

        assertEquals(0, loop.result(ONE_TURN).latencies().getTotalCount());
        assertEquals(0, loop.result(ONE_TURN).bytes());
    }

    @Test
    void interruptsAreCounted() throws Exception {
        startLoop(1);
        driver.requestq().call().signal();
        driver.requestq().call().signal();

        assertEquals(2, loop.result(ONE_TURN).interrupts());
    }

    @Test
    void usedLengthOfZeroIsTheDevicesFault() throws Exception {
        startLoop(1);
        deviceUses(0);

        assertThrows(DeviceViolationException.class, () -> loop.run(ONE_TURN));
    }

    @Test
    void usedLengthAboveTheBufferIsTheDevicesFault() throws Exception {
        startLoop(1);
        deviceUses(LENGTH + 1);

        assertThrows(DeviceViolationException.class, () -> loop.run(ONE_TURN));
    }

    @Test
    void closedSocketEndsTheLoop() throws Exception {
        startLoop(1);
        backend.close();

        IOException closed = assertThrows(
                IOException.class, () -> loop.run(Duration.ofSeconds(5).toNanos()));

        assertTrue(closed.getMessage().contains("closed"), closed::getMessage);
    }

    @Test
    void deviceThatUsesNothingEndsTheLoop() throws Exception {
        startLoop(1);

        IOException stalled = assertThrows(
                IOException.class, () -> loop.run(Duration.ofSeconds(10).toNanos()));

        assertTrue(stalled.getMessage().contains("stalled"), stalled::getMessage);
    }
}
