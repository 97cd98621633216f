package org.vhostuserrng.device.pci;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vhostuserrng.transport.pci.PciFunction;

/** Every register of configuration space (PCI Local Bus 3.0 §6, PCI Express §7.5) and its writable bits. */
class VirtioPciConfigSpaceTest {
    /** QEMU 7.2's virtio-rng-pci,disable-legacy=on on a pcie-root-port after reset: the double words that are not 0. */
    private static final Map<Integer, Integer> QEMU = Map.ofEntries(
            Map.entry(0x00, 0x10441af4),
            Map.entry(0x04, 0x00100000),
            Map.entry(0x08, 0x00ff0001),
            Map.entry(0x20, 0x0000000c),
            Map.entry(0x2c, 0x11001af4),
            Map.entry(0x34, 0x000000dc),
            Map.entry(0x3c, 0x00000100),
            Map.entry(0x40, 0x00020010),
            Map.entry(0x44, 0x10008000),
            Map.entry(0x4c, 0x00000411),
            Map.entry(0x50, 0x00110000),
            Map.entry(0x64, 0x00300000),
            Map.entry(0x7c, 0x00034001),
            Map.entry(0x84, 0x01107c09),
            Map.entry(0x88, 0x00000004),
            Map.entry(0x90, 0x00001000),
            Map.entry(0x94, 0x03108409),
            Map.entry(0x98, 0x00000004),
            Map.entry(0x9c, 0x00001000),
            Map.entry(0xa0, 0x00001000),
            Map.entry(0xa4, 0x04109409),
            Map.entry(0xa8, 0x00000004),
            Map.entry(0xac, 0x00002000),
            Map.entry(0xb0, 0x00001000),
            Map.entry(0xb4, 0x0214a409),
            Map.entry(0xb8, 0x00000004),
            Map.entry(0xbc, 0x00003000),
            Map.entry(0xc0, 0x00001000),
            Map.entry(0xc4, 0x00000004),
            Map.entry(0xc8, 0x0514b409),
            Map.entry(0xdc, 0x0001c811),
            Map.entry(0xe0, 0x00000001),
            Map.entry(0xe4, 0x00000801));

    private final VirtioPciTestDriver driver = new VirtioPciTestDriver();

    @ParameterizedTest(name = "{0}")
    @CsvSource({
        "Vendor ID, 0x00, 2, 0x1af4",
        "Device ID, 0x02, 2, 0x1044",
        "Command, 0x04, 2, 0",
        "Status, 0x06, 2, 0x0010",
        "Revision ID, 0x08, 1, 1",
        "Class Code interface, 0x09, 1, 0",
        "Class Code sub-class, 0x0a, 1, 0xff",
        "Class Code base class, 0x0b, 1, 0",
        "Cache Line Size, 0x0c, 1, 0",
        "Latency Timer, 0x0d, 1, 0",
        "Header Type, 0x0e, 1, 0",
        "BIST, 0x0f, 1, 0",
        "BAR 0, 0x10, 4, 0",
        "BAR 1, 0x14, 4, 0",
        "BAR 2, 0x18, 4, 0",
        "BAR 3, 0x1c, 4, 0",
        "BAR 4, 0x20, 4, 0xc",
        "BAR 5, 0x24, 4, 0",
        "Cardbus CIS Pointer, 0x28, 4, 0",
        "Subsystem Vendor ID, 0x2c, 2, 0x1af4",
        "Subsystem ID, 0x2e, 2, 0x1100",
        "Expansion ROM Base Address, 0x30, 4, 0",
        "Interrupt Line, 0x3c, 1, 0",
        "Interrupt Pin, 0x3d, 1, 1",
        "Min_Gnt, 0x3e, 1, 0",
        "Max_Lat, 0x3f, 1, 0"
    })
    void headerHasItsInitialValue(String register, String offset, int width, String value) {
        assertEquals(Integer.decode(value), driver.config(Integer.decode(offset), width), register);
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource({
        "Command, 0x04, 2, 0x0546",
        "Status, 0x06, 2, 0x0010",
        "Cache Line Size, 0x0c, 1, 0xff",
        "Latency Timer, 0x0d, 1, 0",
        "BAR 0, 0x10, 4, 0",
        "BAR 1: 4 KiB 32-bit memory, 0x14, 4, -4096",
        "BAR 2, 0x18, 4, 0",
        "BAR 3, 0x1c, 4, 0",
        "BAR 4: 16 KiB 64-bit prefetchable memory, 0x20, 4, -16372",
        "BAR 5: upper half of BAR 4, 0x24, 4, -1",
        "Expansion ROM Base Address, 0x30, 4, 0",
        "Capabilities Pointer, 0x34, 1, 0xdc",
        "Interrupt Line, 0x3c, 1, 0xff",
        "Interrupt Pin, 0x3d, 1, 1"
    })
    void headerReadsBackItsWritableBits(String register, String offset, int width, String value) {
        driver.writeConfig(Integer.decode(offset), width, -1);

        assertEquals(Integer.decode(value), driver.config(Integer.decode(offset), width), register);
    }

    @Test
    void barKeepsItsAddress() {
        driver.writeConfig(0x20, 4, 0xfea0_0000L);
        driver.writeConfig(0x24, 4, 0x7f);

        assertEquals(0xfea0_000c, driver.config(0x20, 4));
        assertEquals(0x7f, driver.config(0x24, 4));
    }

    @Test
    void noOtherBitIsWritable() {
        List<String> writable = new ArrayList<>();
        for (int offset = 0; offset < 4096; offset += 4) {
            VirtioPciTestDriver fresh = new VirtioPciTestDriver();
            int before = fresh.config(offset, 4);
            fresh.writeConfig(offset, 4, ~before);
            int changed = before ^ fresh.config(offset, 4);
            if (changed != 0) {
                writable.add(String.format("%02x:%08x", offset, changed));
            }
        }

        // In order: Command, Cache Line Size, BAR 1, BAR 4, BAR 5, Interrupt Line; Link Control, Device Control 2;
        // PMCSR; cap.bar, cap.offset, cap.length, pci_cfg_data; MSI-X Message Control. A write of ones to Device
        // Control initiates a reset.
        assertEquals(
                List.of(
                        "04:00000546",
                        "0c:000000ff",
                        "14:fffff000",
                        "20:ffffc000",
                        "24:ffffffff",
                        "3c:000000ff",
                        "50:000000c3",
                        "68:00008000",
                        "80:00000003",
                        "cc:000000ff",
                        "d0:ffffffff",
                        "d4:ffffffff",
                        "d8:ffffffff",
                        "dc:c0000000"),
                writable);
    }

    @Test
    void differsFromQemuInDeviceCfgAndNoSoftResetOnly() {
        List<String> different = new ArrayList<>();
        for (int offset = 0; offset < 256; offset += 4) {
            if (driver.config(offset, 4) != QEMU.getOrDefault(offset, 0)) {
                different.add(String.format("%02x:%08x", offset, driver.config(offset, 4)));
            }
        }

        // PMCSR with No_Soft_Reset, no DeviceCfg, and Notify without it in the list.
        assertEquals(
                List.of("80:00000008", "a4:00000000", "a8:00000000", "ac:00000000", "b0:00000000", "b4:02149409"),
                different);
    }

    @Test
    void extendedConfigurationSpaceIsEmpty() {
        for (int offset = 256; offset < 4096; offset += 4) {
            assertEquals(0, driver.config(offset, 4));
        }
    }

    // --- capabilities ----------------------------------------------------------------------------------------------

    @Test
    void listHasAllCapabilities() {
        List<Integer> ids = new ArrayList<>();
        for (int offset = driver.config(0x34, 1); offset != 0; offset = driver.config(offset + 1, 1)) {
            assertEquals(0, offset % 4);
            ids.add(driver.config(offset, 1));
        }

        assertEquals(List.of(0x11, 9, 9, 9, 9, 1, 0x10), ids);
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource({
        "PCI Express Capabilities, 0x02, 2, 0x0002",
        "Device Capabilities, 0x04, 4, 0x10008000",
        "Device Control, 0x08, 2, 0",
        "Device Status, 0x0a, 2, 0",
        "Link Capabilities, 0x0c, 4, 0x411",
        "Link Control, 0x10, 2, 0",
        "Link Status, 0x12, 2, 0x0011",
        "Slot Capabilities, 0x14, 4, 0",
        "Device Capabilities 2, 0x24, 4, 0x00300000",
        "Device Control 2, 0x28, 2, 0",
        "Link Capabilities 2, 0x2c, 4, 0"
    })
    void expressCapabilityHasItsInitialValue(String register, String offset, int width, String value) {
        int express = driver.capability(0x10);

        assertEquals(Integer.decode(value), driver.config(express + Integer.decode(offset), width), register);
    }

    @Test
    void deviceControlKeepsErrorReportingEnables() {
        int deviceControl = driver.capability(0x10) + 8;

        driver.writeConfig(deviceControl, 2, 0x7fff);

        assertEquals(0xf, driver.config(deviceControl, 2));
    }

    @Test
    void powerManagementCapabilityHasD0AndD3hotOnly() {
        int pm = driver.capability(1);

        assertEquals(3, driver.config(pm + 2, 2));
        assertEquals(8, driver.config(pm + 4, 2));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void unsupportedPowerStateDoesNotChangeTheState(int state) {
        int control = driver.capability(1) + 4;
        driver.writeConfig(control, 2, 3);

        driver.writeConfig(control, 2, state);

        assertEquals(8 | 3, driver.config(control, 2));
    }

    @Test
    void msixCapabilityNamesTableAndPendingBitArray() {
        int msix = driver.capability(0x11);

        assertEquals(1, driver.config(msix + 2, 2));
        assertEquals(1, driver.config(msix + 4, 4));
        assertEquals(0x801, driver.config(msix + 8, 4));
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource({"COMMON_CFG, 1, 16, 0", "NOTIFY_CFG, 2, 20, 0x3000", "ISR_CFG, 3, 16, 0x1000"})
    void vendorCapabilityLocatesItsStructure(String structure, int type, int length, String offset) {
        int capability = driver.vendorCapability(type);

        assertTrue(capability != 0, structure);
        assertEquals(length, driver.config(capability + 2, 1));
        assertEquals(4, driver.config(capability + 4, 1));
        assertEquals(Integer.decode(offset), driver.config(capability + 8, 4));
        assertEquals(0x1000, driver.config(capability + 12, 4));
    }

    @Test
    void notifyCapabilityHasAMultiplierOf4() {
        assertEquals(4, driver.config(driver.vendorCapability(2) + 16, 4));
    }

    @Test
    void hasNoDeviceConfigurationCapability() {
        assertEquals(0, driver.vendorCapability(4));
    }

    // --- widths ----------------------------------------------------------------------------------------------------

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4, 5, 8, 256, 4096})
    void readOfAnyWidthHasTheBytesOfTheRegisters(int width) {
        for (int offset = 0; offset + width <= 4096; offset += width == 1 ? 1 : Math.max(1, width / 2)) {
            for (int i = 0; i < Math.min(width, 8); i++) {
                int expected = driver.config(offset + i, 1);
                long bytes = driver.read(PciFunction.REGION_CONFIG, offset, Math.min(width, 8));
                assertEquals(expected, (int) (bytes >>> (8 * i)) & 0xff);
            }
        }
    }

    @Test
    void partialWriteKeepsTheOtherBytes() {
        driver.writeConfig(0x14, 4, 0x1234_5000);

        driver.writeConfig(0x16, 1, 0xff);

        assertEquals(0x12ff_5000, driver.config(0x14, 4));
    }

    @Test
    void unalignedWriteReachesBothRegisters() {
        driver.writeConfig(0x23, 2, 0xabcd);

        assertEquals(0xcd00_000c, driver.config(0x20, 4));
        assertEquals(0xab, driver.config(0x24, 4));
    }

    // --- regions ---------------------------------------------------------------------------------------------------

    @ParameterizedTest
    @CsvSource({"0, 0", "1, 4096", "2, 0", "3, 0", "4, 16384", "5, 0", "6, 0", "7, 4096", "8, 0", "-1, 0"})
    void regionHasItsSize(int region, long size) {
        assertEquals(size, driver.function.regionSize(region));
    }

    @ParameterizedTest
    @CsvSource({"0, 0", "6, 0", "4, 16383", "7, 4094", "1, -1", "4, 9223372036854775807", "7, -9223372036854775808"})
    void accessOutsideARegionHasNoResponse(int region, long offset) {
        driver.write(region, offset, 4, 0);

        assertEquals(0xffff_ffffL, driver.read(region, offset, 4));
    }

    @Test
    void functionHasIntxAndAVectorPerEvent() {
        assertTrue(driver.function.hasIntx());
        assertEquals(2, driver.function.msixVectorCount());
    }
}
