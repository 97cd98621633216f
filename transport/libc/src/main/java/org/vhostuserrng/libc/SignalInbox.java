package org.vhostuserrng.libc;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import sun.misc.Signal;
import sun.misc.SignalHandler;

/**
 * Collects signals for a thread that polls descriptors. A signal that arrives several times before it is taken counts
 * once, as a pending signal does in the kernel. Confined to one thread, except that the JVM adds signals on its own
 * threads.
 */
public final class SignalInbox implements AutoCloseable {
    private static final MemorySegment READ = Libc.symbol("read");
    private static final MemorySegment WRITE = Libc.symbol("write");
    private static final int BUFFER_BYTES = 64;
    private static final MemorySegment ONE_BYTE = Arena.global().allocate(1);

    private final PipePair pipe;
    private final AtomicLong arrived = new AtomicLong();
    private final MemorySegment buffer = Arena.global().allocate(BUFFER_BYTES);

    private SignalInbox(PipePair pipe) {
        this.pipe = pipe;
    }

    /**
     * Installs handlers for signals. A signal that this process inherited as ignored stays ignored. A name that does
     * not exist on this architecture, or that the JVM reserves, is skipped.
     *
     * @param names names of the signals without {@code SIG}
     */
    public static SignalInbox open(String... names) throws ErrnoException {
        SignalInbox inbox = new SignalInbox(PipePair.open(OwnedFd.O_NONBLOCK));
        for (String name : names) {
            inbox.add(name);
        }
        return inbox;
    }

    private void add(String name) {
        try {
            Signal signal = new Signal(name);
            SignalHandler before = Signal.handle(signal, received -> arrived(received.getNumber()));
            if (before.equals(SignalHandler.SIG_IGN)) {
                Signal.handle(signal, SignalHandler.SIG_IGN);
            }
        } catch (IllegalArgumentException absent) {
            // The signal does not exist on this architecture, or the JVM reserves it.
        }
    }

    private void arrived(int number) {
        long bit = 1L << number;
        if ((arrived.getAndUpdate(bits -> bits | bit) & bit) == 0) {
            // EAGAIN needs no action: a full pipe is already readable.
            int descriptor = pipe.writeEnd().numberOrClosed();
            long ignored = Libc.callLong(WRITE, descriptor, ONE_BYTE.address(), ONE_BYTE.byteSize(), 0, 0, 0);
            assert ignored <= 1;
        }
    }

    /**
     * The descriptor to poll: readable from the arrival of a signal until {@link #take}. This object remains the owner.
     */
    public OwnedFd readable() {
        return pipe.readEnd();
    }

    /** Returns the numbers of the signals that have arrived since the last call, in ascending order. */
    public List<Integer> take() {
        long read;
        do {
            read = Libc.callLong(READ, pipe.readEnd().number(), buffer.address(), BUFFER_BYTES, 0, 0, 0);
        } while (read == BUFFER_BYTES);
        long bits = arrived.getAndSet(0);
        List<Integer> numbers = new ArrayList<>();
        while (bits != 0) {
            numbers.add(Long.numberOfTrailingZeros(bits));
            bits &= bits - 1;
        }
        return numbers;
    }

    @Override
    public void close() {
        pipe.close();
    }
}
