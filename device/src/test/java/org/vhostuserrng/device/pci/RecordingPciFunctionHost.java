package org.vhostuserrng.device.pci;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.vhostuserrng.transport.pci.PciFunctionHost;
import org.vhostuserrng.transport.virtio.VirtqueueConfig;

/** Records the calls of a function, and requires that the function is a bus master when it accesses memory. */
final class RecordingPciFunctionHost implements PciFunctionHost {
    /** The calls in order. */
    final List<String> calls = new ArrayList<>();
    /** Indices of the started virtqueues. */
    final Set<Integer> started = new TreeSet<>();

    boolean intx;
    boolean busMaster;
    boolean memoryWriteInFlight;
    /** Runs while a virtqueue starts. */
    Runnable whileStarting = () -> {};
    /** Runs while a virtqueue stops. */
    Runnable whileStopping = () -> {};

    @Override
    public void startVirtqueue(int queue, int size, long features, VirtqueueConfig.Areas areas) {
        assertTrue(busMaster, "starts without being a bus master");
        assertTrue(started.add(queue), "starts twice");
        calls.add(String.format(
                "start %d size %d features %#x areas %#x %#x %#x",
                queue, size, features, areas.descriptorArea(), areas.driverArea(), areas.deviceArea()));
        whileStarting.run();
    }

    @Override
    public void stopVirtqueue(int queue) {
        whileStopping.run();
        assertTrue(started.remove(queue), "stops, but is not started");
        calls.add("stop " + queue);
    }

    @Override
    public void availableBufferNotification(int queue) {
        assertTrue(busMaster, "is notified without being a bus master");
        assertTrue(started.contains(queue), "is notified, but not started");
        calls.add("notify " + queue);
    }

    @Override
    public void setBusMaster(boolean nowBusMaster) {
        assertTrue(nowBusMaster != busMaster, "does not change");
        busMaster = nowBusMaster;
        calls.add("bus master " + nowBusMaster);
    }

    @Override
    public boolean isMemoryWriteInFlight() {
        return memoryWriteInFlight;
    }

    @Override
    public void triggerMsix(int vector) {
        assertTrue(busMaster, "sends a message without being a bus master");
        calls.add("msix " + vector);
    }

    @Override
    public void setIntx(boolean asserted) {
        assertTrue(asserted != intx, "does not change");
        intx = asserted;
        calls.add("intx " + asserted);
    }

    /** Returns the calls since the last time. */
    List<String> takeCalls() {
        List<String> taken = List.copyOf(calls);
        calls.clear();
        return taken;
    }
}
