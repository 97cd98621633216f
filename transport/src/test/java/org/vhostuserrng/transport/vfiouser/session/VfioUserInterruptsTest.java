package org.vhostuserrng.transport.vfiouser.session;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.vhostuserrng.transport.vfiouser.session.SteppedVfioUserClient.EVENTFD_TRIGGER;
import static org.vhostuserrng.transport.vfiouser.session.SteppedVfioUserClient.SET_IRQS;
import static org.vhostuserrng.transport.vfiouser.session.SteppedVfioUserClient.irqs;
import static org.vhostuserrng.transport.vfiouser.session.SteppedVfioUserClient.signals;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vhostuserrng.transport.sys.EventFd;
import org.vhostuserrng.transport.sys.SealedMemfd;

/** VFIO_USER_DEVICE_SET_IRQS, and interrupts of the function. */
@Timeout(120)
class VfioUserInterruptsTest {
    private static final int EINVAL = 22;
    private static final int ENOTSUP = 95;
    private static final int INTX = 0;
    private static final int MSIX = 2;
    private static final int ERR = 3;
    private static final int NONE_TRIGGER = 0x21;
    private static final int NONE_MASK = 0x9;
    private static final int NONE_UNMASK = 0x11;
    private static final int BOOL_TRIGGER = 0x22;
    private static final int BOOL_MASK = 0xa;
    private static final int EVENTFD_MASK = 0xc;
    private static final int EVENTFD_UNMASK = 0x14;

    @TempDir
    private Path directory;

    private SteppedVfioUserClient client;

    @BeforeEach
    void connect() throws IOException {
        client = new SteppedVfioUserClient(directory).negotiate();
    }

    @AfterEach
    void close() {
        client.close();
    }

    // --- MSI-X -----------------------------------------------------------------------------------------------------

    @Test
    void sendsAMessageOfItsVector() throws IOException {
        EventFd first = client.assign(MSIX, 0);
        EventFd second = client.assign(MSIX, 1);

        client.function.host.triggerMsix(1);

        assertEquals(0, signals(first));
        assertEquals(1, signals(second));
    }

    @Test
    void ignoresAVectorThatDoesNotExist() throws IOException {
        EventFd eventfd = client.assign(MSIX, 0);

        client.function.host.triggerMsix(2);
        client.function.host.triggerMsix(-1);
        client.function.host.triggerMsix(0xffff);

        assertEquals(0, signals(eventfd));
    }

    @Test
    void aMessageWithoutAnEventfdIsSentWhenThereIsOne() throws IOException {
        client.function.host.triggerMsix(1);

        EventFd eventfd = client.assign(MSIX, 1);

        assertEquals(1, signals(eventfd));
    }

    @Test
    void aMaskedMessageIsSentWhenItIsUnmasked() throws IOException {
        EventFd eventfd = client.assign(MSIX, 1);
        client.setIrqs(NONE_MASK, MSIX, 1, 1);

        client.function.host.triggerMsix(1);
        long masked = signals(eventfd);
        client.setIrqs(NONE_UNMASK, MSIX, 1, 1);

        assertEquals(0, masked);
        assertEquals(1, signals(eventfd));
    }

    @Test
    void masksOnlyTheVectorsWhoseBooleanIsTrue() throws IOException {
        EventFd first = client.assign(MSIX, 0);
        EventFd second = client.assign(MSIX, 1);
        client.setIrqs(BOOL_MASK, MSIX, 0, 2, 0, 1);

        client.function.host.triggerMsix(0);
        client.function.host.triggerMsix(1);

        assertEquals(1, signals(first));
        assertEquals(0, signals(second));
    }

    @Test
    void takesEventfdsAway() throws IOException {
        EventFd eventfd = client.assign(MSIX, 1);
        client.setIrqs(EVENTFD_TRIGGER, MSIX, 0, 2);

        client.function.host.triggerMsix(1);

        assertEquals(0, signals(eventfd));
    }

    @Test
    void disablesAllVectors() throws IOException {
        EventFd eventfd = client.assign(MSIX, 1);
        client.setIrqs(NONE_TRIGGER, MSIX, 0, 0);

        client.function.host.triggerMsix(1);

        assertEquals(0, signals(eventfd));
    }

    @Test
    void aResetForgetsPendingMessages() throws IOException {
        client.function.host.triggerMsix(1);
        client.command(SteppedVfioUserClient.RESET, new byte[0]);

        assertEquals(0, signals(client.assign(MSIX, 1)));
    }

    @Test
    void theClientTriggersAVector() throws IOException {
        EventFd first = client.assign(MSIX, 0);
        EventFd second = client.assign(MSIX, 1);

        client.setIrqs(NONE_TRIGGER, MSIX, 0, 1);
        client.setIrqs(BOOL_TRIGGER, MSIX, 0, 2, 0, 1);

        assertEquals(1, signals(first));
        assertEquals(1, signals(second));
    }

    // --- INTx ------------------------------------------------------------------------------------------------------

    @Test
    void anAssertedIntxIsSentOnceUntilItIsUnmasked() throws IOException {
        EventFd eventfd = client.assign(INTX, 0);

        client.function.host.setIntx(true);
        client.function.host.setIntx(true);

        assertEquals(1, signals(eventfd));
    }

    @Test
    void anIntxThatIsStillAssertedIsSentAgainWhenItIsUnmasked() throws IOException {
        EventFd eventfd = client.assign(INTX, 0);
        client.function.host.setIntx(true);
        long first = signals(eventfd);

        client.setIrqs(NONE_UNMASK, INTX, 0, 1);

        assertEquals(1, first);
        assertEquals(1, signals(eventfd));
    }

    @Test
    void aDeassertedIntxIsNotSentAgain() throws IOException {
        EventFd eventfd = client.assign(INTX, 0);
        client.function.host.setIntx(true);
        client.function.host.setIntx(false);

        client.setIrqs(NONE_UNMASK, INTX, 0, 1);

        assertEquals(1, signals(eventfd));
    }

    @Test
    void anIntxIsSentAgainAfterAnUnmask() throws IOException {
        EventFd eventfd = client.assign(INTX, 0);
        client.function.host.setIntx(true);
        client.function.host.setIntx(false);
        client.setIrqs(NONE_UNMASK, INTX, 0, 1);

        client.function.host.setIntx(true);

        assertEquals(2, signals(eventfd));
    }

    @Test
    void anIntxThatIsAssertedWhileMaskedIsSentWhenItIsUnmasked() throws IOException {
        EventFd eventfd = client.assign(INTX, 0);
        client.setIrqs(NONE_MASK, INTX, 0, 1);
        client.function.host.setIntx(true);
        long masked = signals(eventfd);

        client.setIrqs(NONE_UNMASK, INTX, 0, 1);

        assertEquals(0, masked);
        assertEquals(1, signals(eventfd));
    }

    @Test
    void anAssertedIntxIsSentByANewEventfd() throws IOException {
        client.assign(INTX, 0);
        client.function.host.setIntx(true);
        client.setIrqs(NONE_TRIGGER, INTX, 0, 0);

        assertEquals(1, signals(client.assign(INTX, 0)));
    }

    @Test
    void acceptsAnEventfdForErrors() throws IOException {
        assertEquals(0, signals(client.assign(ERR, 0)));
    }

    // --- invalid commands ------------------------------------------------------------------------------------------

    @ParameterizedTest
    @CsvSource({
        // No or several data types or actions, unknown flags
        "0x0, 2, 0, 1",
        "0x20, 2, 0, 1",
        "0x1, 2, 0, 1",
        "0x23, 2, 0, 1",
        "0x25, 2, 0, 1",
        "0x31, 2, 0, 1",
        "0x19, 2, 0, 1",
        "0x61, 2, 0, 1",
        "0x80000021, 2, 0, 1",
        // Indices and ranges
        "0x21, 5, 0, 1",
        "0x21, -1, 0, 1",
        "0x21, 2, 0, 3",
        "0x21, 2, 2, 1",
        "0x21, 2, 1, 2",
        "0x21, 2, -1, 1",
        "0x21, 2, -1, 2",
        "0x21, 2, 0x7fffffff, 0x7fffffff",
        "0x21, 2, 1, -1",
        "0x21, 0, 0, 2",
        "0x21, 1, 0, 1",
        "0x21, 2, 1, 0",
        "0x24, 2, 0, 0",
        "0x9, 2, 0, 0",
        "0x9, 3, 0, 1",
        "0x11, 3, 0, 1",
        // Without the booleans
        "0x22, 2, 0, 1",
    })
    void refusesAnInvalidCommand(String flags, int index, String start, String count) {
        int errno = client.setIrqs(Long.decode(flags).intValue(), index, Integer.decode(start), Integer.decode(count));

        assertEquals(EINVAL, errno);
        assertEquals(0, client.closedCount);
    }

    @Test
    void refusesMoreBooleansThanInterrupts() {
        assertEquals(EINVAL, client.setIrqs(BOOL_TRIGGER, MSIX, 0, 1, 1, 1));
    }

    @ParameterizedTest
    @ValueSource(ints = {EVENTFD_MASK, EVENTFD_UNMASK})
    void doesNotSupportEventfdsOfMaskActions(int flags) throws IOException {
        byte[] payload = irqs(flags, INTX, 0, 1);

        assertEquals(
                ENOTSUP,
                client.command(SET_IRQS, payload, EventFd.create().fd()).errno());
    }

    @Test
    void refusesAnotherNumberOfEventfdsThanInterrupts() throws IOException {
        byte[] payload = irqs(EVENTFD_TRIGGER, MSIX, 0, 2);

        assertEquals(
                EINVAL, client.command(SET_IRQS, payload, EventFd.create().fd()).errno());
    }

    @Test
    void refusesADescriptorThatIsNoEventfd() throws IOException {
        EventFd before = client.assign(MSIX, 0);
        byte[] payload = irqs(EVENTFD_TRIGGER, MSIX, 0, 1);

        int errno = client.command(SET_IRQS, payload, SealedMemfd.create("memory", 4096))
                .errno();
        client.function.host.triggerMsix(0);

        assertEquals(EINVAL, errno);
        assertEquals(1, signals(before));
    }
}
