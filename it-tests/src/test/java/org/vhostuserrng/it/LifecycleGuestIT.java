package org.vhostuserrng.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.it.Eventually.eventually;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.vhostuserrng.it.Machine.Board;

/** What an operator does to running guests: pause, reset, kill, many at once, another daemon. */
@Timeout(300)
class LifecycleGuestIT {
    private static final String SOURCE = "/dev/urandom";
    private static final String READ_64_KIB = "read_bytes 65536";
    private static final String DEVICE = "vhost-user-rng-pci,vectors=2";

    @RegisterExtension
    final Daemons daemons = new Daemons();

    @RegisterExtension
    final VirtualMachines machines = new VirtualMachines(daemons);

    private static Machine q35(Suite qemu) {
        return Machine.of(qemu, Suite.BOOKWORM, Board.Q35);
    }

    private static void assertServed(GuestConsole guest) throws IOException, InterruptedException {
        String read = guest.run(READ_64_KIB);
        assertEquals(65536, GuestConsole.number(read, "read", "bytes"));
    }

    private Daemon startDaemon() throws IOException {
        return daemons.start("--source=file:" + SOURCE);
    }

    @ParameterizedTest(name = "stop and cont with a request in flight, system_reset, {0}")
    @EnumSource(Suite.class)
    void guestThatIsPausedWhileItReadsGoesOnAndIsReset(Suite qemu) throws IOException, InterruptedException {
        Daemon daemon = startDaemon();
        VirtualMachine vm = machines.boot(q35(qemu).withRng(daemon.socket(), DEVICE));
        GuestConsole guest = vm.console();

        guest.send("read_bytes 1048576");
        for (int round = 0; round < 3; round++) {
            vm.qmp().execute("stop");
            vm.qmp().execute("cont");
        }
        String read = guest.awaitStatus("the read", GuestConsole.PATIENCE);
        assertEquals(1 << 20, GuestConsole.number(read, "read", "bytes"));

        vm.qmp().execute("system_reset");
        guest.awaitReady();
        assertServed(guest);
        assertEquals(0, vm.powerOff());
    }

    @Test
    void qemuThatIsKilledLeavesNothingBehindAndAnotherIsServed() throws IOException, InterruptedException {
        Daemon daemon = startDaemon();
        VirtualMachine killed = machines.boot(q35(Suite.BOOKWORM).withRng(daemon.socket(), DEVICE));
        killed.console().send("cat /dev/hwrng >/dev/null");
        eventually("the source is open", () -> daemon.fds().contains(SOURCE));

        killed.kill();

        eventually("the source is closed", () -> !daemon.fds().contains(SOURCE));
        VirtualMachine next = machines.boot(q35(Suite.BOOKWORM).withRng(daemon.socket(), DEVICE));
        assertServed(next.console());
        assertTrue(daemon.isAlive());
    }

    @ParameterizedTest(name = "{0} guests on one daemon")
    @ValueSource(ints = {2, 8})
    void guestsOfOneDaemonAreAllServedAtTheSameTime(int guests) throws IOException, InterruptedException {
        Daemon daemon = daemons.startForGuests(guests, "--source=file:" + SOURCE);
        List<VirtualMachine> running = new ArrayList<>();
        for (int i = 0; i < guests; i++) {
            VirtualMachine vm = machines.start(q35(Suite.BOOKWORM).withRng(daemon.socket(i), DEVICE));
            vm.console();
            running.add(vm);
        }
        for (VirtualMachine vm : running) {
            vm.boot();
        }
        for (VirtualMachine vm : running) {
            vm.console().send(READ_64_KIB);
        }
        for (VirtualMachine vm : running) {
            String read = vm.console().awaitStatus(READ_64_KIB, GuestConsole.PATIENCE);
            assertEquals(65536, GuestConsole.number(read, "read", "bytes"));
        }
    }

    /** QEMU 7.2 listens; the daemon that is lost is followed by another, and the guest notices nothing. */
    @Test
    void daemonIsStoppedAndStartedUnderAListeningQemu() throws IOException, InterruptedException {
        Daemon first = daemons.launchConnecting();
        VirtualMachine vm = machines.boot(q35(Suite.BOOKWORM)
                .with("-chardev", "socket,id=rng,server=on,path=" + daemons.socketPath())
                .with("-device", DEVICE + ",chardev=rng"));
        GuestConsole guest = vm.console();
        assertServed(guest);

        first.terminate();
        assertEquals(0, first.awaitExit(Eventually.PATIENCE));
        guest.send(READ_64_KIB);
        daemons.launchConnecting();

        String read = guest.awaitStatus(READ_64_KIB, GuestConsole.PATIENCE);
        assertEquals(65536, GuestConsole.number(read, "read", "bytes"));
        assertEquals(0, vm.powerOff());
    }

    @Test
    void driverIsUnloadedAndLoadedWhileTheGuestReads() throws IOException, InterruptedException {
        Daemon daemon = startDaemon();
        VirtualMachine vm = machines.boot(q35(Suite.BOOKWORM).withRng(daemon.socket(), DEVICE));
        GuestConsole guest = vm.console();
        guest.run("(while true; do head -c 4096 /dev/hwrng >/dev/null 2>&1; done) & echo");

        for (int round = 0; round < 5; round++) {
            guest.run("until unbind; do sleep 0.1; done");
            guest.run("bind");
        }

        assertServed(guest);
        assertEquals(0, vm.powerOff());
    }

    @Test
    void hostAndGuestReadTogether() throws IOException, InterruptedException {
        Daemon daemon = daemons.startForGuests(2, "--source=file:" + SOURCE);
        VirtualMachine vm = machines.boot(q35(Suite.BOOKWORM).withRng(daemon.socket(0), DEVICE));

        vm.console().send("read_bytes 1048576");
        Program.Outcome host = Program.run("bench", "--socket-path=" + daemon.socket(1), "--seconds=2", "--warmup=0");
        String read = vm.console().awaitStatus("the read", GuestConsole.PATIENCE);

        assertEquals(0, host.status(), host::err);
        assertEquals(1 << 20, GuestConsole.number(read, "read", "bytes"));
    }
}
