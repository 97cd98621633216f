package org.vhostuserrng.transport.vfiouser.session;

import static org.vhostuserrng.transport.vfiouser.protocol.VfioUserConstants.IRQ_SET_BYTES;
import static org.vhostuserrng.transport.vfiouser.protocol.VfioUserConstants.VFIO_IRQ_INFO_AUTOMASKED;
import static org.vhostuserrng.transport.vfiouser.protocol.VfioUserConstants.VFIO_IRQ_INFO_EVENTFD;
import static org.vhostuserrng.transport.vfiouser.protocol.VfioUserConstants.VFIO_IRQ_INFO_MASKABLE;
import static org.vhostuserrng.transport.vfiouser.protocol.VfioUserConstants.VFIO_IRQ_INFO_NORESIZE;
import static org.vhostuserrng.transport.vfiouser.protocol.VfioUserConstants.VFIO_IRQ_SET_ACTION_MASK;
import static org.vhostuserrng.transport.vfiouser.protocol.VfioUserConstants.VFIO_IRQ_SET_ACTION_TRIGGER;
import static org.vhostuserrng.transport.vfiouser.protocol.VfioUserConstants.VFIO_IRQ_SET_ACTION_TYPE_MASK;
import static org.vhostuserrng.transport.vfiouser.protocol.VfioUserConstants.VFIO_IRQ_SET_ACTION_UNMASK;
import static org.vhostuserrng.transport.vfiouser.protocol.VfioUserConstants.VFIO_IRQ_SET_DATA_BOOL;
import static org.vhostuserrng.transport.vfiouser.protocol.VfioUserConstants.VFIO_IRQ_SET_DATA_EVENTFD;
import static org.vhostuserrng.transport.vfiouser.protocol.VfioUserConstants.VFIO_IRQ_SET_DATA_MASK;
import static org.vhostuserrng.transport.vfiouser.protocol.VfioUserConstants.VFIO_IRQ_SET_DATA_NONE;
import static org.vhostuserrng.transport.vfiouser.protocol.VfioUserConstants.VFIO_PCI_ERR_IRQ_INDEX;
import static org.vhostuserrng.transport.vfiouser.protocol.VfioUserConstants.VFIO_PCI_INTX_IRQ_INDEX;
import static org.vhostuserrng.transport.vfiouser.protocol.VfioUserConstants.VFIO_PCI_MSIX_IRQ_INDEX;
import static org.vhostuserrng.transport.vfiouser.protocol.VfioUserConstants.VFIO_PCI_NUM_IRQS;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.vhostuserrng.libc.Errno;
import org.vhostuserrng.transport.pci.PciFunction;
import org.vhostuserrng.transport.sys.NotificationFd;
import org.vhostuserrng.transport.sys.NotificationFd.Direction;
import org.vhostuserrng.transport.vfiouser.protocol.VfioUserMessageChannel;

/** The interrupts of a session, by their index in Linux's VFIO. Confined to the loop's thread. */
final class DeviceInterrupts implements AutoCloseable {
    private static final int OK = 0;

    private static final long FLAGS = 4;
    private static final long INDEX = 8;
    private static final long START = 12;
    private static final long COUNT = 16;

    private final IrqVector[][] vectors = new IrqVector[VFIO_PCI_NUM_IRQS][0];
    private final IrqVector intx = new IrqVector(true);
    private IrqVector[] msix = vectors[VFIO_PCI_MSIX_IRQ_INDEX];

    /** Creates the interrupts of a function. To be called once. */
    void create(PciFunction function) {
        if (function.hasIntx()) {
            vectors[VFIO_PCI_INTX_IRQ_INDEX] = new IrqVector[] {intx};
        }
        msix = new IrqVector[function.msixVectorCount()];
        for (int i = 0; i < msix.length; i++) {
            msix[i] = new IrqVector(false);
        }
        vectors[VFIO_PCI_MSIX_IRQ_INDEX] = msix;
        // Never triggered. QEMU warns if it cannot assign an eventfd.
        vectors[VFIO_PCI_ERR_IRQ_INDEX] = new IrqVector[] {new IrqVector(false)};
    }

    /** Sends an MSI-X message. A vector that does not exist is ignored. Data path. */
    void triggerMsix(int vector) {
        if (vector >= 0 && vector < msix.length) {
            msix[vector].trigger();
        }
    }

    /** Sets the level of the INTx interrupt pin. */
    void setIntx(boolean asserted) {
        if (asserted) {
            intx.trigger();
        } else {
            intx.clear();
        }
    }

    /** Forgets the pending messages, because the function was reset. */
    void clearPendingMsix() {
        for (IrqVector vector : msix) {
            vector.clear();
        }
    }

    /** Whether an eventfd blocked, which only a hostile client can cause. */
    boolean isStuck() {
        for (IrqVector vector : msix) {
            if (vector.isStuck()) {
                return true;
            }
        }
        return intx.isStuck();
    }

    /** The number of interrupts of an index. */
    int count(int index) {
        return vectors[index].length;
    }

    /** The VFIO_IRQ_INFO flags of an index. */
    int flags(int index) {
        if (count(index) == 0) {
            return 0;
        }
        return switch (index) {
            case VFIO_PCI_INTX_IRQ_INDEX -> VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_MASKABLE | VFIO_IRQ_INFO_AUTOMASKED;
            case VFIO_PCI_MSIX_IRQ_INDEX -> VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_NORESIZE;
            default -> VFIO_IRQ_INFO_EVENTFD;
        };
    }

    /** Executes VFIO_USER_DEVICE_SET_IRQS. Returns 0 or an errno, after which nothing has changed. */
    int set(VfioUserMessageChannel message) {
        int flags = message.u32(FLAGS);
        int index = message.u32(INDEX);
        int start = message.u32(START);
        int count = message.u32(COUNT);
        int data = flags & VFIO_IRQ_SET_DATA_MASK;
        int action = flags & VFIO_IRQ_SET_ACTION_TYPE_MASK;
        // vfio-user, VFIO_USER_DEVICE_SET_IRQS: the flags are mutually exclusive for both sets.
        if (data + action != flags
                || Integer.bitCount(data) != 1
                || Integer.bitCount(action) != 1
                || index < 0
                || index >= VFIO_PCI_NUM_IRQS
                || !isRange(start, count, count(index))) {
            return Errno.EINVAL;
        }
        if (action != VFIO_IRQ_SET_ACTION_TRIGGER) {
            return setMasked(message, action, data, index, start, count);
        }
        return switch (data) {
            case VFIO_IRQ_SET_DATA_EVENTFD -> setEventfds(message, index, start, count);
            case VFIO_IRQ_SET_DATA_NONE ->
                count == 0 ? disable(message, index, start) : act(message, action, data, index, start, count);
            default -> act(message, action, data, index, start, count);
        };
    }

    private static boolean isRange(int start, int count, int size) {
        return start >= 0 && count >= 0 && start <= size && count <= size - start;
    }

    private int setMasked(VfioUserMessageChannel message, int action, int data, int index, int start, int count) {
        if (data == VFIO_IRQ_SET_DATA_EVENTFD) {
            // The document has the server write to such an eventfd; QEMU and KVM write to it instead, as Linux's VFIO
            // has it. QEMU does without it if it is refused.
            return Errno.ENOTSUP;
        }
        if (index != VFIO_PCI_INTX_IRQ_INDEX && index != VFIO_PCI_MSIX_IRQ_INDEX) {
            return Errno.EINVAL;
        }
        return act(message, action, data, index, start, count);
    }

    private int act(VfioUserMessageChannel message, int action, int data, int index, int start, int count) {
        boolean bools = data == VFIO_IRQ_SET_DATA_BOOL;
        int dataBytes = bools ? count : 0;
        if (count == 0 || message.payloadBytes() != IRQ_SET_BYTES + dataBytes || message.fdCount() > 0) {
            return Errno.EINVAL;
        }
        for (int i = 0; i < count; i++) {
            if (!bools || message.u8(IRQ_SET_BYTES + (long) i) != 0) {
                act(action, vectors[index][start + i]);
            }
        }
        return OK;
    }

    private static void act(int action, IrqVector vector) {
        switch (action) {
            case VFIO_IRQ_SET_ACTION_MASK -> vector.mask();
            case VFIO_IRQ_SET_ACTION_UNMASK -> vector.unmask();
            default -> vector.sendTest();
        }
    }

    /** VFIO_USER_DEVICE_SET_IRQS: a count (and start) of 0 with DATA_NONE disables all interrupts of the index. */
    private int disable(VfioUserMessageChannel message, int index, int start) {
        if (start != 0 || message.payloadBytes() != IRQ_SET_BYTES || message.fdCount() > 0) {
            return Errno.EINVAL;
        }
        for (IrqVector vector : vectors[index]) {
            vector.setEventfd(null);
        }
        return OK;
    }

    /** Sets one eventfd per interrupt or, without any, takes them away. */
    private int setEventfds(VfioUserMessageChannel message, int index, int start, int count) {
        int fds = message.fdCount();
        if (message.payloadBytes() != IRQ_SET_BYTES || count == 0 || (fds != 0 && fds != count)) {
            return Errno.EINVAL;
        }
        List<NotificationFd> eventfds = new ArrayList<>();
        try {
            for (int i = 0; i < fds; i++) {
                // Asks for a name only, which never waits. No other file is opened here.
                if (!NotificationFd.isEventFd(message.fd(i))) {
                    return Errno.EINVAL;
                }
            }
            for (int i = 0; i < fds; i++) {
                eventfds.add(NotificationFd.adopt(message.takeFd(), Direction.TO_FRONTEND));
            }
        } catch (IOException refused) {
            eventfds.forEach(NotificationFd::close);
            return Errno.EINVAL;
        }
        for (int i = 0; i < count; i++) {
            vectors[index][start + i].setEventfd(fds == 0 ? null : eventfds.get(i));
        }
        return OK;
    }

    @Override
    public void close() {
        for (IrqVector[] ofIndex : vectors) {
            for (IrqVector vector : ofIndex) {
                vector.close();
            }
        }
    }
}
