package org.vhostuserrng.daemon.hold;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.vhostuserrng.daemon.hold.sys.DescriptorPoll;
import org.vhostuserrng.daemon.hold.sys.NotifySocket;
import org.vhostuserrng.daemon.hold.sys.OpenFileSet;
import org.vhostuserrng.daemon.hold.sys.ProcessSignal;
import org.vhostuserrng.libc.ChildStatus;
import org.vhostuserrng.libc.EnvironmentVariables;
import org.vhostuserrng.libc.ErrnoException;
import org.vhostuserrng.libc.KilledProcess;
import org.vhostuserrng.libc.OwnedFd;
import org.vhostuserrng.libc.PosixSpawn;
import org.vhostuserrng.libc.SignalInbox;
import org.vhostuserrng.transport.systemd.ListenFds;

/**
 * Runs a service: starts its main process, receives its notifications, stores its descriptors, restarts it when it
 * ends, and stops it on SIGTERM or SIGINT. Confined to the thread that calls {@link #run}.
 *
 * <p>If this process is killed, the main process of the service keeps running, without a file descriptor store: that is
 * better for its guests than no service.
 */
public final class ServiceSupervisor implements AutoCloseable {
    private static final String[] SIGNALS = {"CHLD", "TERM", "INT", "HUP", "USR1", "USR2"};
    /** A service that was killed by a signal has this exit status plus the signal's number, as in a shell. */
    private static final int KILLED = 128;

    private static final int BAD_USAGE = 2;
    private static final int RUNNING = -1;
    /** Interval at which to check whether the end of the main process is blocked. */
    private static final long EXIT_CHECK_NANOS = TimeUnit.SECONDS.toNanos(1);
    /** Time that a killed process has to end, for example to unmap its memory. */
    private static final long EXIT_NANOS = TimeUnit.MILLISECONDS.toNanos(200);

    private static final int NO_PROCESS = 0;

    /** Maximum number of datagrams between two checks of signals and deadlines. */
    private static final int MAX_DATAGRAMS_AT_ONCE = 256;
    /** More datagrams than a socket can queue, so that all notifications of an ended process are read. */
    private static final int MAX_QUEUED_DATAGRAMS = 1 << 14;

    private final ServiceSettings settings;
    private final List<NamedFd> inherited = new ArrayList<>();
    private final SignalInbox signals;
    private final NotifySocket notifySocket;
    private final FdStore store;
    private final ManagerLog log;
    private final RestartDelay restartDelay = new RestartDelay();
    private final Deadline restart = new Deadline();
    private final Deadline watchdog = new Deadline();
    private final Deadline kill = new Deadline();
    private final Deadline exitCheck = new Deadline();
    private boolean exitBlocked;

    private int mainPid = NO_PROCESS;
    private long startedAt;
    private int starts;
    private String status = "";
    /** The number of the signal that stopped the service; 0 while the service must run. */
    private int stopSignal;

    private int exitStatus = RUNNING;

    private ServiceSupervisor(
            ServiceSettings settings,
            List<ListenFds.NamedFd> inherited,
            SignalInbox signals,
            NotifySocket notifySocket,
            Consumer<String> log) {
        this.settings = settings;
        inherited.forEach(passed -> this.inherited.add(new NamedFd(passed.name(), new OwnedFd(passed.fd()))));
        this.signals = signals;
        this.notifySocket = notifySocket;
        this.store = new FdStore(settings.maxFds(), OpenFileSet.create(notifySocket.fd()));
        this.log = new ManagerLog(System::nanoTime, log);
    }

    /**
     * Prepares to run a service.
     *
     * @param inherited descriptors that are passed to the service at each start
     * @param log receives log lines about the service
     * @throws IOException if no notify socket can be created
     */
    public static ServiceSupervisor open(
            ServiceSettings settings, List<ListenFds.NamedFd> inherited, Consumer<String> log) throws IOException {
        SignalInbox signals = SignalInbox.open(SIGNALS);
        try {
            NotifySocket notifySocket = NotifySocket.create(socketDirectories(), CloserThread.start());
            return new ServiceSupervisor(settings, inherited, signals, notifySocket, log);
        } catch (IOException impossible) {
            signals.close();
            throw impossible;
        }
    }

    /** Directories for the notify socket. /tmp is last, because clean-up programs may remove files there. */
    private static List<String> socketDirectories() {
        List<String> directories = new ArrayList<>(List.of("/run", "/dev/shm", "/tmp"));
        String ofUser = System.getenv("XDG_RUNTIME_DIR");
        if (ofUser != null && ofUser.startsWith("/")) {
            directories.addFirst(ofUser);
        }
        return directories;
    }

    /** Runs the service until it has ended and will not be restarted. Returns the exit status for this process. */
    public int run() {
        start();
        while (exitStatus == RUNNING) {
            DescriptorPoll.awaitReadable(notifySocket.fd(), signals.readable(), timeoutMillis());
            signals.take().forEach(this::handleSignal);
            receiveNotifications(MAX_DATAGRAMS_AT_ONCE);
            reapChildren();
            meetDeadlines();
        }
        if (store.size() > 0) {
            log.line("closing " + store.size() + " stored descriptors");
        }
        return exitStatus;
    }

    private int timeoutMillis() {
        long now = System.nanoTime();
        long nanos = Math.min(
                Math.min(restart.remaining(now), watchdog.remaining(now)),
                Math.min(kill.remaining(now), exitCheck.remaining(now)));
        if (nanos == Long.MAX_VALUE) {
            return -1;
        }
        return (int) Math.min(Integer.MAX_VALUE, TimeUnit.NANOSECONDS.toMillis(nanos) + 1);
    }

    private void start() {
        restart.clear();
        watchdog.clear();
        starts++;
        startedAt = System.nanoTime();
        status = "";
        int hungUp = store.removeIf(DescriptorPoll::isHungUp);
        if (hungUp > 0) {
            log.line("removed " + hungUp + " stored descriptors that have hung up");
        }
        String program = settings.command().getFirst();
        int missing = CommandLookup.status(program, System.getenv("PATH"));
        if (missing != 0) {
            String reason = missing == CommandLookup.NOT_FOUND ? "not found" : "not an executable file";
            notStarted(missing, program + ": " + reason);
            return;
        }
        try {
            spawn();
        } catch (ErrnoException refused) {
            notStarted(CommandLookup.NOT_EXECUTABLE, refused.getMessage());
        }
    }

    private void spawn() throws ErrnoException {
        List<NamedFd> all = new ArrayList<>(inherited);
        all.addAll(store.all());
        PassedFds passed = PassedFds.of(all);
        if (passed.omittedNames() > 0) {
            log.line("LISTEN_FDNAMES has no room for " + passed.omittedNames() + " of " + all.size()
                    + " names; their descriptors are passed without a name");
        }
        mainPid = PosixSpawn.spawn(
                words(all.isEmpty()),
                ServiceEnvironment.of(EnvironmentVariables.variables(), variables(passed)),
                PosixSpawn.ProcessGroup.SAME,
                passed.numbers().stream().mapToInt(Integer::intValue).toArray());
        exitCheck.setAt(startedAt + EXIT_CHECK_NANOS);
        log.line("started process " + mainPid + (all.isEmpty() ? "" : " with " + all.size() + " descriptors"));
    }

    /**
     * Returns a shell command that sets LISTEN_PID and WATCHDOG_PID and then executes the service. The process ID
     * remains the same, because exec replaces the shell.
     */
    private List<String> words(boolean withoutFds) {
        String variables =
                (withoutFds ? "" : " LISTEN_PID=$$") + (settings.watchdogMicros() > 0 ? " WATCHDOG_PID=$$" : "");
        String script = (variables.isEmpty() ? "" : "export" + variables + "; ") + "exec \"$@\"";
        List<String> words = new ArrayList<>(List.of("/bin/sh", "-c", script, "vhost-user-rng hold"));
        words.addAll(settings.command());
        return words;
    }

    private Map<String, String> variables(PassedFds passed) {
        int fds = passed.names().size();
        boolean named = !passed.names().stream().allMatch(String::isEmpty);
        Map<String, String> variables = new LinkedHashMap<>(settings.variables());
        variables.put("NOTIFY_SOCKET", notifySocket.path());
        variables.put("FDSTORE", Integer.toString(settings.maxFds()));
        variables.put("LISTEN_PID", "");
        variables.put("LISTEN_FDS", fds == 0 ? "" : Integer.toString(fds));
        variables.put("LISTEN_FDNAMES", named ? passed.listenFdNames() : "");
        variables.put("WATCHDOG_PID", "");
        variables.put("WATCHDOG_USEC", settings.watchdogMicros() == 0 ? "" : Long.toString(settings.watchdogMicros()));
        return variables;
    }

    private void notStarted(int shellStatus, String reason) {
        if (starts == 1) {
            log.line(reason);
            exitStatus = shellStatus;
        } else {
            log.line(reason + "; " + scheduleRestart());
        }
    }

    /** Sets the time of the next start, and returns it as text for the log. */
    private String scheduleRestart() {
        long now = System.nanoTime();
        long delay = restartDelay.after(now - startedAt);
        restart.setAt(now + delay);
        return delay == 0 ? "restarting now" : "restarting in " + TimeUnit.NANOSECONDS.toMillis(delay) + " ms";
    }

    private void handleSignal(int signal) {
        switch (signal) {
            case ProcessSignal.SIGTERM, ProcessSignal.SIGINT -> stop(signal);
            case ProcessSignal.SIGHUP, ProcessSignal.SIGUSR1, ProcessSignal.SIGUSR2 -> passOn(signal);
            default -> {
                // SIGCHLD: run() calls reapChildren() after every signal.
            }
        }
    }

    private void passOn(int signal) {
        if (mainPid != NO_PROCESS) {
            ProcessSignal.send(mainPid, signal);
        }
    }

    private void stop(int signal) {
        stopSignal = signal;
        restart.clear();
        watchdog.clear();
        if (mainPid == NO_PROCESS) {
            exitStatus = 0;
            return;
        }
        passOn(signal);
        setKillDeadline();
    }

    private void setKillDeadline() {
        if (!kill.isSet()) {
            kill.setAt(System.nanoTime() + settings.stopTimeoutNanos());
        }
    }

    private void receiveNotifications(int most) {
        for (int i = 0; i < most; i++) {
            NotifySocket.Datagram datagram = notifySocket.receive();
            if (datagram == null) {
                return;
            }
            receive(datagram);
        }
    }

    private void receive(NotifySocket.Datagram datagram) {
        if (mainPid == NO_PROCESS || datagram.senderPid() != mainPid) {
            datagram.fds().forEach(OwnedFd::close);
            log.limited(
                    "ignored a notification of process " + datagram.senderPid() + ", which is not the main process");
            return;
        }
        if (!datagram.complete()) {
            log.limited("a notification of the main process was truncated: it is longer than "
                    + NotifySocket.MAX_DATAGRAM_BYTES + " bytes, or its descriptors exceed the limit of open files");
        }
        ServiceNotification notification = ServiceNotification.parse(datagram.text());
        if (notification.storesFds()) {
            String name = notification.fdName() == null ? FdStore.DEFAULT_NAME : notification.fdName();
            datagram.fds().forEach(fd -> store(name, fd, notification.fdPoll()));
        } else {
            datagram.fds().forEach(OwnedFd::close);
        }
        if (notification.removesFds() && notification.fdName() != null) {
            store.remove(notification.fdName());
        }
        noteState(notification);
    }

    private void store(String name, OwnedFd fd, boolean poll) {
        if (store.add(name, fd, poll) == FdStore.Outcome.FULL) {
            log.limited("the file descriptor store is full with " + settings.maxFds()
                    + " descriptors: refused one with the name '" + name + "'");
        }
    }

    private void noteState(ServiceNotification notification) {
        if (notification.status() != null && !notification.status().equals(status)) {
            status = notification.status();
            log.limited("status of process " + mainPid + ": " + status);
        }
        if (notification.stopping()) {
            watchdog.clear();
            setKillDeadline();
        } else if (settings.watchdogMicros() > 0
                && !kill.isSet()
                && (notification.ready() || notification.watchdog())) {
            watchdog.setAt(System.nanoTime() + TimeUnit.MICROSECONDS.toNanos(settings.watchdogMicros()));
        }
    }

    /** Reaps all children that have ended. As process 1 of a container, this process also reaps orphans. */
    private void reapChildren() {
        ChildStatus ended = ChildStatus.ofAny();
        while (ended != null) {
            if (ended.pid() == mainPid) {
                // Read its notifications before it is reaped: the kernel then no longer reports the sender's process
                // ID.
                receiveNotifications(MAX_QUEUED_DATAGRAMS);
            }
            ChildStatus.reap(ended.pid());
            if (ended.pid() == mainPid) {
                mainProcessEnded(ended);
            }
            ended = ChildStatus.ofAny();
        }
    }

    private void mainProcessEnded(ChildStatus end) {
        mainPid = NO_PROCESS;
        watchdog.clear();
        kill.clear();
        exitCheck.clear();
        exitBlocked = false;
        String description = "process " + end.pid() + " " + end;
        boolean succeeded = end.exited() && end.status() == 0;
        if (stopSignal != 0) {
            boolean bySignal = !end.exited() && end.status() == stopSignal;
            exitStatus = bySignal ? 0 : end.exited() ? end.status() : KILLED + end.status();
            log.line(description);
        } else if (store.size() == 0 && (succeeded || hasFailedToStart(end))) {
            exitStatus = end.status();
            log.line(description);
        } else {
            log.line(description + "; " + scheduleRestart());
        }
    }

    /** Returns whether this was the first start and the exit status tells that the command line is wrong. */
    private boolean hasFailedToStart(ChildStatus end) {
        int exit = end.exited() ? end.status() : 0;
        return starts == 1
                && (exit == BAD_USAGE || exit == CommandLookup.NOT_EXECUTABLE || exit == CommandLookup.NOT_FOUND);
    }

    private void meetDeadlines() {
        long now = System.nanoTime();
        if (watchdog.hasPassed(now)) {
            // If not the service but this process was late, the service's notification is already in the queue.
            receiveNotifications(MAX_QUEUED_DATAGRAMS);
        }
        if (watchdog.hasPassed(now)) {
            watchdog.clear();
            log.line("process " + mainPid + " sent no WATCHDOG=1 in time; killing it");
            ProcessSignal.send(mainPid, ProcessSignal.SIGKILL);
        }
        if (kill.hasPassed(now)) {
            kill.setAt(now + settings.stopTimeoutNanos());
            log.line("process " + mainPid + " did not end in time; killing it");
            ProcessSignal.send(mainPid, ProcessSignal.SIGKILL);
        }
        if (exitCheck.hasPassed(now)) {
            checkExit(now);
        }
        if (restart.hasPassed(now)) {
            start();
        }
    }

    /**
     * Treats the main process as ended if it was killed, but one of its threads waits in the kernel: a front-end that
     * holds a kernel lock could otherwise delay the restart indefinitely. Such a thread never returns to the program.
     */
    private void checkExit(long now) {
        boolean blocked = KilledProcess.isBlocked(mainPid);
        if (blocked && exitBlocked) {
            receiveNotifications(MAX_QUEUED_DATAGRAMS);
            log.line("process " + mainPid + " does not end, because a thread is blocked in the kernel; not waiting");
            mainProcessEnded(new ChildStatus(mainPid, false, ProcessSignal.SIGKILL));
        } else {
            exitBlocked = blocked;
            exitCheck.setAt(now + (blocked ? EXIT_NANOS : EXIT_CHECK_NANOS));
        }
    }

    @Override
    public void close() {
        notifySocket.close();
        signals.close();
    }
}
