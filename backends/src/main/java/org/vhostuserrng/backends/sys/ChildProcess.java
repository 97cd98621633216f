package org.vhostuserrng.backends.sys;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.vhostuserrng.libc.ChildStatus;
import org.vhostuserrng.libc.EnvironmentVariables;
import org.vhostuserrng.libc.Libc;
import org.vhostuserrng.libc.NativePath;
import org.vhostuserrng.libc.OwnedFd;
import org.vhostuserrng.libc.PipePair;
import org.vhostuserrng.libc.PosixSpawn;

/**
 * A child process that leads its own process group, with pipes from its stdout and stderr. Its stdin is a pipe that
 * never has data. When this process ends in any way, the kernel closes the other end of that pipe and kills the group.
 * Confined to one thread.
 *
 * <p>{@link Process} is not used: it does not end descendants, needs a helper program and two more threads, and its
 * pipes do not work with {@link WakeablePoller}.
 */
public final class ChildProcess implements AutoCloseable {
    private static final MemorySegment KILL = Libc.symbol("kill");
    private static final MemorySegment FCNTL = Libc.symbol("fcntl");
    private static final MemorySegment SYSCALL = Libc.symbol("syscall");
    private static final int SIGKILL = 9;
    private static final int SIGTERM = 15;
    private static final int F_SETFL = 4;
    private static final int F_SETOWN = 8;
    private static final int F_SETSIG = 10;
    private static final int O_ASYNC = 0x2000;
    /** Linux include/uapi/asm-generic/unistd.h: the same number on all architectures. */
    private static final int SYS_PIDFD_OPEN = 434;

    private static final long POLL_NANOS = TimeUnit.MILLISECONDS.toNanos(5);
    private static final long TERMINATION_NANOS = TimeUnit.MILLISECONDS.toNanos(200);

    private final int pid;
    private final OwnedFd stdin;
    private final EntropyFile stdout;
    private final EntropyFile stderr;
    /** The pidfd of the process (Linux 5.3); null if the kernel or a system call filter refused it. */
    private final OwnedFd pidfd;

    private ChildProcess(int pid, OwnedFd stdin, EntropyFile stdout, EntropyFile stderr) {
        this.pid = pid;
        this.stdin = stdin;
        this.stdout = stdout;
        this.stderr = stderr;
        int opened = (int) Libc.callLong(SYSCALL, SYS_PIDFD_OPEN, pid, 0, 0, 0, 0);
        this.pidfd = opened < 0 ? null : new OwnedFd(opened);
    }

    /**
     * Starts a program.
     *
     * @param words the program, which is searched for in PATH unless it contains a slash, and its arguments
     * @throws IOException if the program cannot be started, with the description of the errno
     */
    public static ChildProcess start(List<String> words) throws IOException {
        try (PipePair in = PipePair.open(0);
                PipePair out = PipePair.open(0);
                PipePair err = PipePair.open(0)) {
            int pid = PosixSpawn.spawn(
                    words,
                    EnvironmentVariables.variablesBeforeLauncher(),
                    PosixSpawn.ProcessGroup.NEW,
                    in.readEnd().number(),
                    out.writeEnd().number(),
                    err.writeEnd().number());
            killGroupWhenClosed(in.readEnd().number(), pid);
            out.readEnd().setNonBlocking();
            err.readEnd().setNonBlocking();
            Path program = NativePath.of(words.getFirst());
            return new ChildProcess(
                    pid,
                    in.takeWriteEnd(),
                    EntropyFile.of(program, out.takeReadEnd()),
                    EntropyFile.of(program, err.takeReadEnd()));
        }
    }

    /**
     * Makes the kernel send SIGKILL to the group when the last write end of the pipe is closed (fcntl(2), O_ASYNC), as
     * long as the child has the read end open.
     */
    private static void killGroupWhenClosed(int readEnd, int group) {
        int ignored = Libc.callInt(FCNTL, readEnd, F_SETSIG, SIGKILL, 0, 0);
        ignored |= Libc.callInt(FCNTL, readEnd, F_SETOWN, -group, 0, 0);
        ignored |= Libc.callInt(FCNTL, readEnd, F_SETFL, O_ASYNC, 0, 0);
        assert ignored == 0;
    }

    /** The non-blocking read end of the pipe from stdout. {@link #close} closes it. */
    public EntropyFile stdout() {
        return stdout;
    }

    /** The non-blocking read end of the pipe from stderr. {@link #close} closes it. */
    public EntropyFile stderr() {
        return stderr;
    }

    /** The descriptor that is readable when the process has ended; -1 if there is none. */
    int pidfd() {
        return pidfd == null ? -1 : pidfd.numberOrClosed();
    }

    /** Returns how the process ended; null while it runs. */
    public ChildStatus end() {
        return ChildStatus.of(pid);
    }

    /** Returns whether the process has exited with status 0. */
    public boolean hasSucceeded() {
        ChildStatus end = end();
        return end != null && end.exited() && end.status() == 0;
    }

    /**
     * Ends the whole process group: with SIGTERM, then with SIGKILL. Waits up to 200 ms for the program to end after
     * each signal.
     */
    @Override
    public void close() {
        signalGroup(SIGTERM);
        stdout.close();
        stderr.close();
        awaitEnd();
        // The program is not reaped yet, so the number of its group cannot belong to another group.
        signalGroup(SIGKILL);
        stdin.close();
        if (pidfd != null) {
            pidfd.close();
        }
        awaitEnd();
        ChildStatus.reap(pid);
    }

    private void signalGroup(int signal) {
        int ignored = Libc.callInt(KILL, -pid, signal, 0, 0, 0);
        assert ignored <= 0;
    }

    private void awaitEnd() {
        long deadline = System.nanoTime() + TERMINATION_NANOS;
        while (end() == null && System.nanoTime() - deadline < 0) {
            LockSupport.parkNanos(POLL_NANOS);
        }
    }
}
