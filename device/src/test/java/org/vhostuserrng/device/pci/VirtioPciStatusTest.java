package org.vhostuserrng.device.pci;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.vhostuserrng.device.pci.VirtioPciTestDriver.BAR;
import static org.vhostuserrng.device.pci.VirtioPciTestDriver.NOTIFICATION_DATA;
import static org.vhostuserrng.device.pci.VirtioPciTestDriver.NOTIFY;
import static org.vhostuserrng.device.pci.VirtioPciTestDriver.RING_RESET;
import static org.vhostuserrng.device.pci.VirtioPciTestDriver.VERSION_1;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The device status (VIRTIO 1.3 §2.1), available buffer notifications, and when virtqueues start and stop. */
class VirtioPciStatusTest {
    private static final String START =
            "start 0 size 256 features 0x100000000 areas 0x100001000 0x200002000 0x300003000";

    private final VirtioPciTestDriver driver = new VirtioPciTestDriver();

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 128, 131})
    void statusReadsBackTheBitsThatTheDriverSets(int status) {
        driver.writeStatus(status);

        assertEquals(status, driver.status());
    }

    @ParameterizedTest
    @ValueSource(ints = {16, 32, 64, 112})
    void driverCannotSetOtherBits(int status) {
        driver.writeStatus(status | 1);

        assertEquals(1, driver.status());
    }

    @Test
    void driverCannotClearBits() {
        driver.writeStatus(3);

        driver.writeStatus(1);

        assertEquals(3, driver.status());
    }

    @Test
    void statusReads0OnlyAfterTheLastWriteToGuestMemory() {
        driver.startDevice(VERSION_1);
        driver.host.memoryWriteInFlight = true;

        driver.writeStatus(0);
        int during = driver.status();
        driver.host.memoryWriteInFlight = false;

        assertEquals(0xf, during);
        assertEquals(0, driver.status());
    }

    @Test
    void aDriverThatDoesNotWaitForTheResetGoesOn() {
        driver.startDevice(VERSION_1);
        driver.host.memoryWriteInFlight = true;
        driver.writeStatus(0);

        driver.writeStatus(1);

        assertEquals(1, driver.status());
    }

    @Test
    void acceptsOfferedFeatures() {
        driver.negotiate(VERSION_1 | NOTIFICATION_DATA | RING_RESET | VirtioPciTestDriver.DEVICE_FEATURES);

        assertEquals(0xb, driver.status());
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 1L << 28, VERSION_1 | 1, VERSION_1 | 1L << 33, VERSION_1 | 1L << 39, VERSION_1 | 1L << 63})
    void refusesFeaturesOkWithoutVersion1OrWithFeaturesThatAreNotOffered(long features) {
        driver.negotiate(features);

        assertEquals(3, driver.status());
    }

    @Test
    void acceptsOtherFeaturesAfterARefusal() {
        driver.negotiate(0);

        driver.negotiate(VERSION_1);

        assertEquals(0xb, driver.status());
    }

    @Test
    void refusesDriverOkWithoutFeaturesOk() {
        driver.setBusMaster();
        driver.enableQueue(0);

        driver.writeStatus(7);

        assertEquals(3, driver.status());
        assertEquals(List.of("bus master true"), driver.host.takeCalls());
    }

    @Test
    void driverOkStartsEnabledVirtqueuesOnly() {
        VirtioPciTestDriver two = new VirtioPciTestDriver(2);
        two.setBusMaster();
        two.negotiate(VERSION_1);
        two.enableQueue(0);
        two.host.takeCalls();

        two.writeStatus(0xf);

        assertEquals(List.of(START), two.host.takeCalls());
    }

    @Test
    void virtqueueThatIsEnabledAfterDriverOkStarts() {
        driver.setBusMaster();
        driver.negotiate(VERSION_1);
        driver.writeStatus(0xf);
        driver.host.takeCalls();

        driver.enableQueue(0);

        assertEquals(List.of(START), driver.host.takeCalls());
    }

    @Test
    void writingStatus0StopsVirtqueuesAndResetsTheDevice() {
        driver.startDevice();
        driver.writeCommon(0x10, 2, 1);

        driver.writeStatus(0);

        assertEquals(List.of("stop 0"), driver.host.takeCalls());
        assertEquals(0, driver.status());
        assertEquals(0, driver.common(0x1c, 2));
        assertEquals(0, driver.common(0xc, 4));
        assertEquals(0xffff, driver.common(0x10, 2));
    }

    @Test
    void statusIsNot0WhileVirtqueuesStop() {
        driver.startDevice();
        int[] seen = new int[1];
        driver.host.whileStopping = () -> seen[0] = driver.status();

        driver.writeStatus(0);

        assertEquals(0xf, seen[0]);
    }

    @Test
    void driverThatHasFailedStopsItsVirtqueues() {
        driver.startDevice();

        driver.writeStatus(0x8f);

        assertEquals(List.of("stop 0"), driver.host.takeCalls());
        assertEquals(0x8f, driver.status());
    }

    // --- DEVICE_NEEDS_RESET ----------------------------------------------------------------------------------------

    @Test
    void brokenVirtqueueNeedsAReset() {
        driver.startDevice();

        driver.function.virtqueueBroken(0);

        assertEquals(0x4f, driver.status());
        assertEquals(List.of("intx true"), driver.host.takeCalls());
        assertEquals(2, driver.readIsr());
    }

    @Test
    void virtqueueThatCannotStartNeedsAReset() {
        driver.host.whileStarting = () -> driver.function.virtqueueBroken(0);

        driver.startDevice();

        assertEquals(0x4f, driver.status());
    }

    @Test
    void secondFaultSendsNoSecondNotification() {
        driver.startDevice();
        driver.function.virtqueueBroken(0);
        driver.readIsr();
        driver.host.takeCalls();

        driver.function.virtqueueBroken(0);

        assertEquals(List.of(), driver.host.takeCalls());
    }

    @Test
    void noVirtqueueStartsWhileTheDeviceNeedsAReset() {
        driver.startDevice(VERSION_1 | RING_RESET);
        driver.function.virtqueueBroken(0);
        driver.writeCommon(0x3a, 2, 1);
        driver.host.takeCalls();

        driver.enableQueue(0);

        assertEquals(List.of(), driver.host.takeCalls());
    }

    @Test
    void resetLeavesTheErrorState() {
        driver.startDevice();
        driver.function.virtqueueBroken(0);

        driver.writeStatus(0);
        driver.startDevice();

        assertEquals(0xf, driver.status());
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 1, Integer.MAX_VALUE})
    void faultOfAVirtqueueThatIsNotStartedHasNoEffect(int queue) {
        driver.function.virtqueueBroken(queue);

        assertEquals(0, driver.status());
    }

    // --- available buffer notifications ----------------------------------------------------------------------------

    @ParameterizedTest
    @CsvSource({"2, 0", "4, 0", "4, 0x80050000", "2, 0xffff", "8, 0"})
    void writeToTheQueueNotifyAddressNotifies(int width, String value) {
        driver.startDevice();

        driver.write(BAR, NOTIFY, width, Long.decode(value));

        assertEquals(List.of("notify 0"), driver.host.takeCalls());
    }

    @ParameterizedTest
    @CsvSource({"0x3000, 1", "0x3001, 1", "0x3001, 2", "0x3002, 2", "0x3004, 2", "0x3ffe, 2", "0x2000, 2", "0x1000, 2"})
    void otherWriteDoesNotNotify(String offset, int width) {
        driver.startDevice();

        driver.write(BAR, Integer.decode(offset), width, 0);

        assertEquals(List.of(), driver.host.takeCalls());
    }

    @Test
    void eachVirtqueueHasAQueueNotifyAddress() {
        VirtioPciTestDriver two = new VirtioPciTestDriver(2);
        two.setBusMaster();
        two.negotiate(VERSION_1);
        two.enableQueue(0);
        two.enableQueue(1);
        two.writeStatus(0xf);
        two.host.takeCalls();

        two.write(BAR, NOTIFY + 4, 2, 1);

        assertEquals(List.of("notify 1"), two.host.takeCalls());
    }

    @Test
    void notificationBeforeDriverOkHasNoEffect() {
        driver.setBusMaster();
        driver.negotiate(VERSION_1);
        driver.enableQueue(0);
        driver.host.takeCalls();

        driver.write(BAR, NOTIFY, 2, 0);

        assertEquals(List.of(), driver.host.takeCalls());
    }

    // --- bus master and power state --------------------------------------------------------------------------------

    @Test
    void virtqueueStartsAsSoonAsTheFunctionIsABusMaster() {
        driver.negotiate(VERSION_1);
        driver.enableQueue(0);
        driver.writeStatus(0xf);
        assertEquals(List.of(), driver.host.takeCalls());

        driver.setBusMaster();

        assertEquals(List.of("bus master true", START, "notify 0"), driver.host.takeCalls());
    }

    @Test
    void notificationIsDeliveredWhenTheFunctionIsABusMasterAgain() {
        driver.startDevice();
        driver.clearBusMaster();
        driver.write(BAR, NOTIFY, 2, 0);
        assertEquals(List.of("bus master false"), driver.host.takeCalls());

        driver.setBusMaster();

        assertEquals(List.of("bus master true", "notify 0"), driver.host.takeCalls());
    }

    @Test
    void d3hotKeepsTheStateAndD0ContinuesIt() {
        driver.startDevice();
        int control = driver.capability(1) + 4;

        driver.writeConfig(control, 2, 3);
        driver.writeConfig(control, 2, 0);

        assertEquals(List.of("bus master false", "bus master true", "notify 0"), driver.host.takeCalls());
        assertEquals(0xf, driver.status());
    }

    @Test
    void barsDoNotRespondInD3hot() {
        driver.startDevice();
        driver.writeConfig(driver.capability(1) + 4, 2, 3);

        driver.writeStatus(0);

        assertEquals(0xff, driver.status());
        assertEquals(0xffff_ffffL, driver.read(VirtioPciTestDriver.MSIX_BAR, 0, 4));
        driver.writeConfig(driver.capability(1) + 4, 2, 0);
        assertEquals(0xf, driver.status());
    }

    // --- resets of the function ------------------------------------------------------------------------------------

    @Test
    void functionLevelResetResetsEverything() {
        driver.startDevice();
        driver.enableMsix();
        driver.writeConfig(0x20, 4, 0xfea0_0000L);

        driver.writeConfig(driver.capability(0x10) + 8, 2, 0x8000);

        assertEquals(List.of("stop 0", "bus master false"), driver.host.takeCalls());
        assertEquals(0, driver.status());
        assertEquals(0, driver.config(4, 2));
        assertEquals(0xc, driver.config(0x20, 4));
        assertEquals(1, driver.config(driver.capability(0x11) + 2, 2));
    }

    @Test
    void initiateFunctionLevelResetReads0() {
        driver.writeConfig(driver.capability(0x10) + 8, 2, 0x800f);

        assertEquals(0, driver.config(driver.capability(0x10) + 8, 2));
    }

    @Test
    void resetByTheHostResetsEverything() {
        driver.startDevice();
        driver.function.usedBufferNotification(0);
        driver.host.takeCalls();

        driver.function.reset();

        assertEquals(List.of("stop 0", "intx false", "bus master false"), driver.host.takeCalls());
        for (int offset = 0; offset < 4096; offset += 4) {
            assertEquals(new VirtioPciTestDriver().config(offset, 4), driver.config(offset, 4));
        }
    }

    @Test
    void functionWorksAfterAReset() {
        driver.startDevice();
        driver.function.reset();
        driver.host.takeCalls();

        driver.setBusMaster();
        driver.negotiate(VERSION_1);
        driver.enableQueue(0);
        driver.writeStatus(0xf);

        assertEquals(List.of("bus master true", START), driver.host.takeCalls());
    }

    @ParameterizedTest
    @CsvSource({"0, 256", "128, 256", "1, 0", "1, 3", "1, -1", "1, 65536"})
    void rejectsInvalidNumbersOfVirtqueuesAndSizes(int queues, int size) {
        assertThrows(IllegalArgumentException.class, () -> new VirtioPciFunction(4, 0, queues, size, driver.host));
    }
}
