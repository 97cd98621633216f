package org.vhostuserrng.device.pci;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.vhostuserrng.device.pci.VirtioPciTestDriver.RING_PACKED;
import static org.vhostuserrng.device.pci.VirtioPciTestDriver.RING_RESET;
import static org.vhostuserrng.device.pci.VirtioPciTestDriver.VERSION_1;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Every field of the common configuration structure (VIRTIO 1.3 §4.1.4.3). */
class VirtioPciCommonConfigTest {
    private final VirtioPciTestDriver driver = new VirtioPciTestDriver();

    @ParameterizedTest(name = "{0}")
    @CsvSource({
        "device_feature_select, 0x00, 4, 0",
        "device_feature, 0x04, 4, 0x30000000",
        "driver_feature_select, 0x08, 4, 0",
        "driver_feature, 0x0c, 4, 0",
        "config_msix_vector, 0x10, 2, 0xffff",
        "num_queues, 0x12, 2, 1",
        "device_status, 0x14, 1, 0",
        "config_generation, 0x15, 1, 0",
        "queue_select, 0x16, 2, 0",
        "queue_size, 0x18, 2, 256",
        "queue_msix_vector, 0x1a, 2, 0xffff",
        "queue_enable, 0x1c, 2, 0",
        "queue_notify_off, 0x1e, 2, 0",
        "queue_desc low, 0x20, 4, 0",
        "queue_desc high, 0x24, 4, 0",
        "queue_driver low, 0x28, 4, 0",
        "queue_driver high, 0x2c, 4, 0",
        "queue_device low, 0x30, 4, 0",
        "queue_device high, 0x34, 4, 0",
        "queue_notif_config_data, 0x38, 2, 0",
        "queue_reset, 0x3a, 2, 0",
        "admin_queue_index, 0x3c, 2, 0",
        "admin_queue_num, 0x3e, 2, 0",
        "padding, 0x40, 4, 0",
        "end of the structure, 0xffc, 4, 0",
        "no device configuration, 0x2000, 4, 0",
        "queue notify, 0x3000, 4, 0"
    })
    void fieldHasItsInitialValue(String field, String offset, int width, String value) {
        assertEquals(Integer.decode(value), driver.common(Integer.decode(offset), width), field);
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource({
        "device_feature_select, 0x00, 4, -1",
        "device_feature, 0x04, 4, 0x30000000",
        "driver_feature_select, 0x08, 4, -1",
        "driver_feature, 0x0c, 4, -1",
        "config_msix_vector, 0x10, 2, 0xffff",
        "num_queues, 0x12, 2, 1",
        "config_generation, 0x15, 1, 0",
        "queue_select, 0x16, 2, 0xffff",
        "queue_notify_off, 0x1e, 2, 0",
        "queue_desc low, 0x20, 4, -1",
        "queue_desc high, 0x24, 4, -1",
        "queue_driver low, 0x28, 4, -1",
        "queue_driver high, 0x2c, 4, -1",
        "queue_device low, 0x30, 4, -1",
        "queue_device high, 0x34, 4, -1",
        "queue_notif_config_data, 0x38, 2, 0",
        "queue_reset, 0x3a, 2, 0",
        "admin_queue_index, 0x3c, 2, 0",
        "admin_queue_num, 0x3e, 2, 0",
        "padding, 0x40, 4, 0",
        "no device configuration, 0x2000, 4, 0"
    })
    void fieldReadsBackItsWritableBits(String field, String offset, int width, String value) {
        driver.writeCommon(Integer.decode(offset), width, -1);

        assertEquals(Integer.decode(value), driver.common(Integer.decode(offset), width), field);
    }

    // --- features --------------------------------------------------------------------------------------------------

    @ParameterizedTest
    @CsvSource({"0, 0x30000000", "1, 0x145", "2, 0", "-1, 0"})
    void deviceFeatureShowsTheSelectedBits(int select, String bits) {
        driver.writeCommon(0, 4, select);

        assertEquals(Integer.decode(bits), driver.common(4, 4));
    }

    @Test
    void driverFeatureShowsWhatTheDriverWroteToEachHalf() {
        driver.writeDriverFeatures(VERSION_1 | 1 << 28);

        assertEquals(1, driver.common(0xc, 4));
        driver.writeCommon(8, 4, 0);
        assertEquals(1 << 28, driver.common(0xc, 4));
    }

    @Test
    void driverFeatureIgnoresBitsFrom64() {
        driver.writeCommon(8, 4, 2);

        driver.writeCommon(0xc, 4, -1);

        assertEquals(0, driver.common(0xc, 4));
    }

    @Test
    void driverFeatureDoesNotChangeAfterFeaturesOk() {
        driver.negotiate(VERSION_1);

        driver.writeCommon(0xc, 4, 0x101);

        assertEquals(1, driver.common(0xc, 4));
    }

    // --- virtqueues ------------------------------------------------------------------------------------------------

    @Test
    void unavailableVirtqueueHasSize0() {
        driver.writeCommon(0x16, 2, 1);

        assertEquals(0, driver.common(0x18, 2));
    }

    @Test
    void unavailableVirtqueueIgnoresWrites() {
        driver.writeCommon(0x16, 2, 1);
        for (int offset = 0x18; offset < 0x40; offset += 2) {
            driver.writeCommon(offset, 2, 1);
        }

        assertEquals(0xffff, driver.common(0x1a, 2));
        assertEquals(0, driver.common(0x1c, 2));
        assertEquals(0, driver.common(0x20, 4));
    }

    @Test
    void eachVirtqueueHasFieldsOfItsOwn() {
        VirtioPciTestDriver two = new VirtioPciTestDriver(2);
        two.writeCommon(0x16, 2, 1);
        two.writeCommon(0x18, 2, 16);
        two.writeCommon(0x16, 2, 0);

        assertEquals(256, two.common(0x18, 2));
        two.writeCommon(0x16, 2, 1);
        assertEquals(16, two.common(0x18, 2));
        assertEquals(1, two.common(0x1e, 2));
    }

    @ParameterizedTest
    @CsvSource({"1, 1", "8, 8", "256, 256", "512, 256", "0, 256", "3, 256", "65535, 256"})
    void splitVirtqueueHasASizeThatIsAPowerOf2UpToTheMaximum(int written, int read) {
        driver.negotiate(VERSION_1);

        driver.writeCommon(0x18, 2, written);

        assertEquals(read, driver.common(0x18, 2));
    }

    @ParameterizedTest
    @CsvSource({"1, 1", "3, 3", "255, 255", "257, 256", "0, 256"})
    void packedVirtqueueHasAnySizeUpToTheMaximum(int written, int read) {
        driver.negotiate(VERSION_1 | RING_PACKED);

        driver.writeCommon(0x18, 2, written);

        assertEquals(read, driver.common(0x18, 2));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 2, 0xffff, 0x0101})
    void onlyWriting1EnablesAVirtqueue(int value) {
        driver.writeCommon(0x1c, 2, value);

        assertEquals(0, driver.common(0x1c, 2));
    }

    @Test
    void writing0DoesNotDisableAVirtqueue() {
        driver.startDevice();

        driver.writeCommon(0x1c, 2, 0);

        assertEquals(1, driver.common(0x1c, 2));
        assertEquals(List.of(), driver.host.takeCalls());
    }

    @Test
    void enabledVirtqueueKeepsSizeAndAddresses() {
        driver.enableQueue(0);

        driver.writeCommon(0x18, 2, 8);
        driver.writeCommon(0x20, 4, -1);
        driver.writeCommon(0x34, 4, -1);

        assertEquals(256, driver.common(0x18, 2));
        assertEquals(0x1000, driver.common(0x20, 4));
        assertEquals(3, driver.common(0x34, 4));
    }

    @ParameterizedTest
    @CsvSource({"0x10, 0, 0", "0x10, 1, 1", "0x10, 2, 0xffff", "0x1a, 1, 1", "0x1a, 2, 0xffff", "0x1a, 0xffff, 0xffff"})
    void vectorThatDoesNotExistReadsNoVector(String field, String written, String read) {
        driver.writeCommon(Integer.decode(field), 2, Integer.decode(written));

        assertEquals(Integer.decode(read), driver.common(Integer.decode(field), 2));
    }

    @Test
    void failedMappingUnmapsTheVector() {
        driver.writeCommon(0x1a, 2, 1);

        driver.writeCommon(0x1a, 2, 2);

        assertEquals(0xffff, driver.common(0x1a, 2));
    }

    // --- queue_reset -----------------------------------------------------------------------------------------------

    @Test
    void queueResetStopsTheVirtqueueAndRestoresItsFields() {
        driver.startDevice(VERSION_1 | RING_RESET);
        driver.writeCommon(0x1a, 2, 1);

        driver.writeCommon(0x3a, 2, 1);

        assertEquals(List.of("stop 0"), driver.host.takeCalls());
        assertEquals(0, driver.common(0x3a, 2));
        assertEquals(0, driver.common(0x1c, 2));
        assertEquals(0, driver.common(0x20, 4));
        assertEquals(0xffff, driver.common(0x1a, 2));
    }

    @Test
    void virtqueueStartsAgainAfterItsReset() {
        driver.startDevice(VERSION_1 | RING_RESET);
        driver.writeCommon(0x3a, 2, 1);
        driver.host.takeCalls();
        driver.writeCommon(0x18, 2, 8);

        driver.enableQueue(0);

        assertEquals(
                List.of("start 0 size 8 features 0x10100000000 areas 0x100001000 0x200002000 0x300003000"),
                driver.host.takeCalls());
    }

    @Test
    void queueResetReads1UntilTheLastWriteToGuestMemory() {
        driver.startDevice(VERSION_1 | RING_RESET);
        driver.host.memoryWriteInFlight = true;
        int before = driver.common(0x3a, 2);

        driver.writeCommon(0x3a, 2, 1);
        int during = driver.common(0x3a, 2);
        driver.host.memoryWriteInFlight = false;

        assertEquals(0, before);
        assertEquals(1, during);
        assertEquals(0, driver.common(0x3a, 2));
    }

    @Test
    void queueResetReads0AfterTheVirtqueueWasEnabledAgain() {
        driver.startDevice(VERSION_1 | RING_RESET);
        driver.writeCommon(0x3a, 2, 1);
        driver.enableQueue(0);

        driver.host.memoryWriteInFlight = true;

        assertEquals(0, driver.common(0x3a, 2));
    }

    @Test
    void queueResetDoesNotExistUnlessNegotiated() {
        driver.startDevice(VERSION_1);

        driver.writeCommon(0x3a, 2, 1);

        assertEquals(List.of(), driver.host.takeCalls());
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 2, 0xffff})
    void onlyWriting1ResetsAVirtqueue(int value) {
        driver.startDevice(VERSION_1 | RING_RESET);

        driver.writeCommon(0x3a, 2, value);

        assertEquals(List.of(), driver.host.takeCalls());
    }

    // --- widths ----------------------------------------------------------------------------------------------------

    @Test
    void wideWriteReachesEachFieldOnce() {
        driver.setBusMaster();
        driver.negotiate(VERSION_1);
        driver.host.takeCalls();

        // queue_size 8, queue_msix_vector 1, queue_enable 1, queue_notify_off
        driver.writeCommon(0x18, 8, 0x0000_0001_0001_0008L);
        driver.writeCommon(0x14, 4, 0xf);

        assertEquals(8, driver.common(0x18, 2));
        assertEquals(1, driver.common(0x1a, 2));
        assertEquals(List.of("start 0 size 8 features 0x100000000 areas 0x0 0x0 0x0"), driver.host.takeCalls());
    }

    @Test
    void byteWriteKeepsTheOtherBytesOfAField() {
        driver.writeCommon(0x20, 4, 0x1122_3344);

        driver.writeCommon(0x22, 1, 0xff);

        assertEquals(0x11ff_3344, driver.common(0x20, 4));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4, 5, 8})
    void readOfAnyWidthHasTheBytesOfTheFields(int width) {
        driver.writeQueueAddresses();

        for (int offset = 0; offset + width <= 0x44; offset++) {
            long value = driver.read(VirtioPciTestDriver.BAR, offset, width);
            for (int i = 0; i < width; i++) {
                assertEquals(driver.common(offset + i, 1), (int) (value >>> (8 * i)) & 0xff);
            }
        }
    }
}
