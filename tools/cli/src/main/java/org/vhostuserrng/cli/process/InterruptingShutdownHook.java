package org.vhostuserrng.cli.process;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * On SIGINT, SIGTERM or SIGHUP, interrupts the thread of a command and waits until it has released its resources, such
 * as a terminal in raw mode. The exit status is that of the JVM: 128 plus the signal's number.
 */
public final class InterruptingShutdownHook {
    /** Expires if the thread is in a call that cannot be interrupted, such as a read of stdin. */
    private static final long RELEASE_TIMEOUT_MILLIS = 5000;

    private final Thread command;
    private final Thread hook;
    private final CountDownLatch released = new CountDownLatch(1);

    private InterruptingShutdownHook(Thread command) {
        this.command = command;
        this.hook = new Thread(this::interruptCommand, "stop-signal");
    }

    /** Registers a hook that interrupts the calling thread. */
    public static InterruptingShutdownHook register() {
        InterruptingShutdownHook registered = new InterruptingShutdownHook(Thread.currentThread());
        Runtime.getRuntime().addShutdownHook(registered.hook);
        return registered;
    }

    private void interruptCommand() {
        command.interrupt();
        try {
            boolean ignored = released.await(RELEASE_TIMEOUT_MILLIS, TimeUnit.MILLISECONDS);
            assert ignored || released.getCount() > 0;
        } catch (InterruptedException unexpected) {
            Thread.currentThread().interrupt();
        }
    }

    /**
     * Must be called after all resources are released. Does not return if a signal has arrived, so that the calling
     * thread prints nothing more.
     */
    public void commandFinished() {
        released.countDown();
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException shutdownInProgress) {
            CommandShutdownHook.awaitHalt();
        }
    }
}
