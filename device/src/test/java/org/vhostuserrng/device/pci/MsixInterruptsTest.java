package org.vhostuserrng.device.pci;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.vhostuserrng.device.pci.VirtioPciTestDriver.MSIX_BAR;

import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** MSI-X messages, the table and the Pending Bit Array (PCI Local Bus 3.0 §6.8.2; VIRTIO 1.3 §4.1.5.1.2). */
class MsixInterruptsTest {
    private static final int PBA = 0x800;

    private final VirtioPciTestDriver driver = new VirtioPciTestDriver();

    @BeforeEach
    void start() {
        driver.startDevice();
        driver.enableMsix();
        driver.host.takeCalls();
    }

    private void writeVectorControl(int vector, int value) {
        driver.write(MSIX_BAR, vector * 16 + 12, 4, value);
    }

    private int pending() {
        return (int) driver.read(MSIX_BAR, PBA, 4);
    }

    // --- messages --------------------------------------------------------------------------------------------------

    @Test
    void usedBufferSendsTheMessageOfTheVirtqueue() {
        driver.function.usedBufferNotification(0);

        assertEquals(List.of("msix 1"), driver.host.takeCalls());
        assertEquals(0, driver.readIsr());
    }

    @Test
    void configurationChangeSendsItsMessageAndSetsIsr() {
        driver.function.virtqueueBroken(0);

        assertEquals(List.of("msix 0"), driver.host.takeCalls());
        assertEquals(2, driver.readIsr());
    }

    @ParameterizedTest
    @CsvSource({"0xffff", "2"})
    void unmappedVirtqueueSendsNothing(String vector) {
        driver.writeCommon(0x1a, 2, Integer.decode(vector));

        driver.function.usedBufferNotification(0);

        assertEquals(List.of(), driver.host.takeCalls());
    }

    @Test
    void unmappedConfigurationChangeSendsNothing() {
        driver.writeCommon(0x10, 2, 0xffff);

        driver.function.virtqueueBroken(0);

        assertEquals(List.of(), driver.host.takeCalls());
    }

    // --- masks -----------------------------------------------------------------------------------------------------

    @Test
    void functionMaskMakesAMessagePending() {
        driver.writeMsixControl(0xc000);

        driver.function.usedBufferNotification(0);

        assertEquals(List.of(), driver.host.takeCalls());
        assertEquals(2, pending());
    }

    @Test
    void pendingMessageIsSentOnceWhenTheFunctionIsUnmasked() {
        driver.writeMsixControl(0xc000);
        driver.function.usedBufferNotification(0);
        driver.function.usedBufferNotification(0);

        driver.writeMsixControl(0x8000);

        assertEquals(List.of("msix 1"), driver.host.takeCalls());
        assertEquals(0, pending());
    }

    @Test
    void vectorIsMaskedAfterAWriteToTheTable() {
        driver.write(MSIX_BAR, 16, 4, 0xfee0_0000L);

        driver.function.usedBufferNotification(0);

        assertEquals(List.of(), driver.host.takeCalls());
        assertEquals(2, pending());
    }

    @Test
    void unmaskedVectorSendsItsPendingMessage() {
        writeVectorControl(1, 1);
        driver.function.usedBufferNotification(0);

        writeVectorControl(1, 0);

        assertEquals(List.of("msix 1"), driver.host.takeCalls());
        assertEquals(0, pending());
    }

    @Test
    void maskOfAnotherVectorHasNoEffect() {
        writeVectorControl(1, 0);
        writeVectorControl(0, 1);

        driver.function.usedBufferNotification(0);

        assertEquals(List.of("msix 1"), driver.host.takeCalls());
    }

    @Test
    void messageIsPendingUntilTheFunctionIsABusMaster() {
        driver.clearBusMaster();
        driver.function.usedBufferNotification(0);
        assertEquals(List.of("bus master false"), driver.host.takeCalls());
        assertEquals(2, pending());

        driver.setBusMaster();

        assertEquals(List.of("bus master true", "msix 1", "notify 0"), driver.host.takeCalls());
    }

    @Test
    void disablingMsixForgetsPendingMessages() {
        driver.writeMsixControl(0xc000);
        driver.function.usedBufferNotification(0);

        driver.writeMsixControl(0);
        driver.writeMsixControl(0x8000);

        assertEquals(List.of(), driver.host.takeCalls());
    }

    @Test
    void deviceResetForgetsPendingMessages() {
        driver.writeMsixControl(0xc000);
        driver.function.usedBufferNotification(0);

        driver.writeStatus(0);

        assertEquals(0, pending());
    }

    // --- registers -------------------------------------------------------------------------------------------------

    @ParameterizedTest
    @CsvSource({"0, 0", "4, 0", "8, 0", "12, 1", "28, 1", "32, 0", "44, 0", "2048, 0", "2052, 0", "2056, 0", "4092, 0"})
    void registerHasItsInitialValue(int offset, int value) {
        assertEquals(value, driver.read(MSIX_BAR, offset, 4));
    }

    @ParameterizedTest
    @CsvSource({
        "0, 0xfffffffc",
        "4, 0xffffffff",
        "8, 0xffffffff",
        "12, 1",
        "16, 0xfffffffc",
        "28, 1",
        "32, 0",
        "2048, 0",
        "4092, 0"
    })
    void registerReadsBackItsWritableBits(int offset, String value) {
        driver.write(MSIX_BAR, offset, 4, -1);

        assertEquals(Long.decode(value), driver.read(MSIX_BAR, offset, 4));
    }

    @Test
    void entryCanBeWrittenByQuadWords() {
        driver.write(MSIX_BAR, 16, 8, 0x0000_0001_fee0_1000L);
        driver.write(MSIX_BAR, 24, 8, 0x4041);

        assertEquals(0x0000_0001_fee0_1000L, driver.read(MSIX_BAR, 16, 8));
        assertEquals(0x4041, driver.read(MSIX_BAR, 24, 8));
    }

    @Test
    void resetOfTheFunctionMasksVectors() {
        writeVectorControl(0, 0);

        driver.function.reset();

        assertEquals(1, driver.read(MSIX_BAR, 12, 4));
    }
}
