package org.vhostuserrng.device.pci;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The PCI configuration access capability (VIRTIO 1.3 §4.1.4.9). */
class PciCfgWindowTest {
    private final VirtioPciTestDriver driver = new VirtioPciTestDriver();
    private final int capability = driver.vendorCapability(5);

    private void select(int bar, long offset, long length) {
        driver.writeConfig(capability + 4, 1, bar);
        driver.writeConfig(capability + 8, 4, offset);
        driver.writeConfig(capability + 12, 4, length);
    }

    private int readData(int width) {
        return driver.config(capability + 16, width);
    }

    private void writeData(int width, int value) {
        driver.writeConfig(capability + 16, width, value);
    }

    @ParameterizedTest
    @CsvSource({"0x04, 4, 0x30000000", "0x12, 2, 1", "0x18, 2, 256", "0x19, 1, 1", "0x10, 2, 0xffff", "0x3ffc, 4, 0"})
    void readsAStructure(String offset, int length, String value) {
        select(4, Integer.decode(offset), length);

        assertEquals(Integer.decode(value), readData(length));
    }

    @ParameterizedTest
    @CsvSource({"0x20, 4, 0x12345678", "0x18, 2, 8", "0x14, 1, 3"})
    void writesAStructure(String offset, int length, String value) {
        select(4, Integer.decode(offset), length);

        writeData(length, Integer.decode(value));

        assertEquals(Integer.decode(value), driver.common(Integer.decode(offset), length));
    }

    @Test
    void writesTheFirstBytesOnly() {
        driver.writeCommon(0x24, 4, 0x1111_1111);
        select(4, 0x26, 2);

        writeData(4, 0x3333_2222);

        assertEquals(0x2222_1111, driver.common(0x24, 4));
    }

    @Test
    void byteOfTheDataWritesAllOfTheField() {
        select(4, 0x20, 4);
        writeData(4, 0x1122_3344);

        driver.writeConfig(capability + 17, 1, 0xff);

        assertEquals(0x1122_ff44, driver.common(0x20, 4));
    }

    @Test
    void notifies() {
        driver.startDevice();
        select(4, 0x3000, 2);

        writeData(2, 0);

        assertEquals(List.of("notify 0"), driver.host.takeCalls());
    }

    @Test
    void readingIsrClearsIt() {
        driver.startDevice();
        driver.function.usedBufferNotification(0);
        select(4, 0x1000, 1);

        assertEquals(1, readData(1));

        assertFalse(driver.host.intx);
    }

    @Test
    void readOfAnotherRegisterDoesNotAccessTheStructure() {
        driver.startDevice();
        driver.function.usedBufferNotification(0);
        select(4, 0x1000, 1);

        driver.config(capability + 8, 4);

        assertTrue(driver.host.intx);
    }

    @ParameterizedTest(name = "bar {0} offset {1} length {2}")
    @CsvSource({
        "0, 0, 4",
        "1, 0, 4",
        "5, 0, 4",
        "6, 0, 4",
        "255, 0, 4",
        "4, 0x14, 0",
        "4, 0x14, 3",
        "4, 0x14, 8",
        "4, 0x14, 0xffffffff",
        "4, 0x13, 2",
        "4, 0x12, 4",
        "4, 0x4000, 1",
        "4, 0x80000014, 1",
        "4, 0xfffffffc, 4",
        "4, 0xffffffff, 1"
    })
    void otherAccessHasNoEffect(int bar, String offset, String length) {
        select(bar, Long.decode(offset), Long.decode(length));

        writeData(4, 0x0303_0303);

        assertEquals(0x0303_0303, readData(4));
        assertEquals(0, driver.status());
        assertEquals(0, driver.read(VirtioPciTestDriver.MSIX_BAR, 0, 4));
    }

    @Test
    void windowIsClosedInD3hot() {
        select(4, 0x14, 1);
        driver.writeConfig(driver.capability(1) + 4, 2, 3);

        writeData(1, 3);

        driver.writeConfig(driver.capability(1) + 4, 2, 0);
        assertEquals(0, driver.status());
    }
}
