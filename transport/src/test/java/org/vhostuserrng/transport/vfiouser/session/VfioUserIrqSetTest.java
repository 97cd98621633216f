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

/** Sequences of VFIO_USER_DEVICE_SET_IRQS, and its descriptors. */
@Timeout(120)
class VfioUserIrqSetTest {
    private static final int EINVAL = 22;
    private static final int MSIX = 2;
    private static final int NONE_TRIGGER = 0x21;
    private static final int BOOL_TRIGGER = 0x22;

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

    @Test
    void newEventfdReplacesTheOldOne() throws IOException {
        EventFd old = client.assign(MSIX, 0);
        EventFd replacement = client.assign(MSIX, 0);

        client.function.host.triggerMsix(0);

        assertEquals(0, signals(old));
        assertEquals(1, signals(replacement));
    }

    @Test
    void eventfdsOfOtherVectorsStay() throws IOException {
        EventFd first = client.assign(MSIX, 0);
        client.assign(MSIX, 1);

        client.function.host.triggerMsix(0);

        assertEquals(1, signals(first));
    }

    @Test
    void triggerOfASecondVectorSignalsOnlyItsEventfd() throws IOException {
        EventFd first = client.assign(MSIX, 0);
        EventFd second = client.assign(MSIX, 1);

        int errno = client.setIrqs(NONE_TRIGGER, MSIX, 1, 1);

        assertEquals(0, errno);
        assertEquals(0, signals(first));
        assertEquals(1, signals(second));
    }

    @Test
    void falseTriggersNothing() throws IOException {
        EventFd first = client.assign(MSIX, 0);
        EventFd second = client.assign(MSIX, 1);

        int errno = client.setIrqs(BOOL_TRIGGER, MSIX, 0, 2, 0, 0);

        assertEquals(0, errno);
        assertEquals(0, signals(first) + signals(second));
    }

    /** QEMU disables INTx whenever MSI-X is enabled, also if it is disabled already. */
    @ParameterizedTest
    @ValueSource(ints = {0, 2, 3})
    void interruptsWithoutEventfdsCanBeDisabled(int index) {
        assertEquals(0, client.setIrqs(NONE_TRIGGER, index, 0, 0));
        assertEquals(0, client.setIrqs(NONE_TRIGGER, index, 0, 0));
    }

    @Test
    void eventfdOfAnErrorInterruptCanBeTakenAway() throws IOException {
        client.assign(3, 0);

        assertEquals(0, client.setIrqs(EVENTFD_TRIGGER, 3, 0, 1));
    }

    @ParameterizedTest
    @CsvSource({"0x21, 0", "0x21, 1", "0x9, 1", "0x11, 1"})
    void descriptorWithoutAnEventfdFlagIsRefused(String flags, int count) throws IOException {
        EventFd assigned = client.assign(MSIX, 0);
        byte[] payload = irqs(Integer.decode(flags), MSIX, 0, count);

        int errno = client.command(SET_IRQS, payload, EventFd.create().fd()).errno();

        assertEquals(EINVAL, errno);
        client.function.host.triggerMsix(0);
        assertEquals(1, signals(assigned));
    }

    @Test
    void descriptorWithBooleansIsRefused() throws IOException {
        EventFd assigned = client.assign(MSIX, 0);
        byte[] payload = irqs(BOOL_TRIGGER, MSIX, 0, 1, (byte) 1);

        int errno = client.command(SET_IRQS, payload, EventFd.create().fd()).errno();

        assertEquals(EINVAL, errno);
        assertEquals(0, signals(assigned));
    }

    @Test
    void booleanForOnlyOneOfTwoInterruptsIsRefused() throws IOException {
        EventFd first = client.assign(MSIX, 0);

        assertEquals(EINVAL, client.setIrqs(BOOL_TRIGGER, MSIX, 0, 2, 1));
        assertEquals(0, signals(first));
    }

    @Test
    void requestInterruptDoesNotExist() {
        assertEquals(EINVAL, client.setIrqs(EVENTFD_TRIGGER, 4, 0, 1));
    }
}
