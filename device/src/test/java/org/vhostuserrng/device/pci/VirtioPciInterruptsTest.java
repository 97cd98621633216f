package org.vhostuserrng.device.pci;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.vhostuserrng.device.pci.VirtioPciTestDriver.BAR;
import static org.vhostuserrng.device.pci.VirtioPciTestDriver.ISR;
import static org.vhostuserrng.device.pci.VirtioPciTestDriver.VERSION_1;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** INTx and the ISR status (VIRTIO 1.3 §4.1.4.5, §4.1.5.3). */
class VirtioPciInterruptsTest {
    private static final int INTERRUPT_STATUS = 8;

    private final VirtioPciTestDriver driver = new VirtioPciTestDriver();

    private int interruptStatus() {
        return driver.config(6, 2) & INTERRUPT_STATUS;
    }

    @Test
    void usedBufferAssertsIntx() {
        driver.startDevice();

        driver.function.usedBufferNotification(0);

        assertEquals(List.of("intx true"), driver.host.takeCalls());
        assertEquals(INTERRUPT_STATUS, interruptStatus());
    }

    @Test
    void readingIsrClearsItAndDeassertsIntx() {
        driver.startDevice();
        driver.function.usedBufferNotification(0);
        driver.host.takeCalls();

        int isr = driver.readIsr();

        assertEquals(1, isr);
        assertEquals(0, driver.readIsr());
        assertEquals(List.of("intx false"), driver.host.takeCalls());
        assertEquals(0, interruptStatus());
    }

    @Test
    void intxStaysAssertedForASecondUsedBuffer() {
        driver.startDevice();

        driver.function.usedBufferNotification(0);
        driver.function.usedBufferNotification(0);

        assertEquals(List.of("intx true"), driver.host.takeCalls());
    }

    @Test
    void isrTellsBothEvents() {
        driver.startDevice();
        driver.function.usedBufferNotification(0);
        driver.function.virtqueueBroken(0);

        assertEquals(3, driver.readIsr());
    }

    @ParameterizedTest
    @CsvSource({"0x1000, 4", "0x1000, 2", "0xffe, 4"})
    void wideReadOfIsrClearsIt(String offset, int width) {
        driver.startDevice();
        driver.function.usedBufferNotification(0);

        driver.read(BAR, Integer.decode(offset), width);

        assertFalse(driver.host.intx);
    }

    @Test
    void readBesideIsrDoesNotClearIt() {
        driver.startDevice();
        driver.function.usedBufferNotification(0);

        driver.read(BAR, ISR + 1, 3);

        assertEquals(1, driver.readIsr());
    }

    @Test
    void writingIsrHasNoEffect() {
        driver.startDevice();
        driver.function.usedBufferNotification(0);

        driver.write(BAR, ISR, 1, 0);

        assertEquals(1, driver.readIsr());
    }

    @Test
    void interruptDisableDeassertsIntxOnly() {
        driver.startDevice();
        driver.function.usedBufferNotification(0);
        driver.host.takeCalls();

        driver.writeConfig(4, 2, 0x406);

        assertEquals(List.of("intx false"), driver.host.takeCalls());
        assertEquals(INTERRUPT_STATUS, interruptStatus());
    }

    @Test
    void intxIsAssertedWhenItIsNoLongerDisabled() {
        driver.startDevice();
        driver.writeConfig(4, 2, 0x406);
        driver.function.usedBufferNotification(0);

        driver.writeConfig(4, 2, 6);

        assertEquals(List.of("intx true"), driver.host.takeCalls());
    }

    @Test
    void msixDeassertsIntx() {
        driver.startDevice();
        driver.function.usedBufferNotification(0);
        driver.host.takeCalls();

        driver.writeMsixControl(0x8000);

        assertEquals(List.of("intx false"), driver.host.takeCalls());
        assertEquals(0, interruptStatus());
    }

    @Test
    void deviceResetDeassertsIntx() {
        driver.startDevice();
        driver.function.usedBufferNotification(0);

        driver.writeStatus(0);

        assertFalse(driver.host.intx);
        assertEquals(0, driver.readIsr());
    }

    @Test
    void notificationWhileVirtqueuesStopIsForgotten() {
        driver.startDevice();
        driver.host.whileStopping = () -> driver.function.usedBufferNotification(0);

        driver.writeStatus(0);

        assertFalse(driver.host.intx);
        assertEquals(0, driver.readIsr());
    }

    @Test
    void d3hotDeassertsIntx() {
        driver.startDevice();
        driver.function.usedBufferNotification(0);

        driver.writeConfig(driver.capability(1) + 4, 2, 3);

        assertFalse(driver.host.intx);
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 1, Integer.MAX_VALUE})
    void virtqueueThatIsNotStartedSendsNoNotification(int queue) {
        driver.setBusMaster();
        driver.negotiate(VERSION_1);
        driver.host.takeCalls();

        driver.function.usedBufferNotification(queue);

        assertEquals(List.of(), driver.host.takeCalls());
    }
}
