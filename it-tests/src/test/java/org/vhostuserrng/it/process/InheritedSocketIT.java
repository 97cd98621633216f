package org.vhostuserrng.it.process;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.vhostuserrng.it.fixture.EventualAssertions.HANG_TIMEOUT;
import static org.vhostuserrng.it.fixture.EventualAssertions.assertEventually;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import jnr.constants.platform.OpenFlags;
import jnr.constants.platform.Signal;
import jnr.constants.platform.WaitFlags;
import jnr.posix.POSIX;
import jnr.posix.POSIXFactory;
import jnr.posix.SpawnFileAction;
import jnr.unixsocket.UnixDatagramChannel;
import jnr.unixsocket.UnixServerSocketChannel;
import jnr.unixsocket.UnixSocketAddress;
import jnr.unixsocket.UnixSocketChannel;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.vhostuserrng.frontend.EntropyDriver;
import org.vhostuserrng.frontend.EntropyDriver.Options;
import org.vhostuserrng.frontend.FrontendSocket;
import org.vhostuserrng.it.fixture.PackagedProgram;

/**
 * Tests {@code --fd}. posix_spawn(3) starts the daemon, because ProcessBuilder cannot pass descriptors to a child.
 */
class InheritedSocketIT {
    private static final POSIX POSIX_CALLS = POSIXFactory.getPOSIX();
    private static final int STDOUT = 1;
    private static final int STDERR = 2;

    /** The number of the inherited descriptor: greater than those of all descriptors that this JVM has open. */
    private static final int INHERITED = 200;

    private static final long NOT_STARTED = 0;

    @TempDir
    private Path directory;

    private long pid = NOT_STARTED;

    @AfterEach
    void kill() {
        if (pid != NOT_STARTED) {
            POSIX_CALLS.kill(pid, Signal.SIGKILL.intValue());
            POSIX_CALLS.waitpid(pid, new int[1], 0);
        }
    }

    private void spawn(SpawnFileAction... descriptors) throws IOException {
        List<SpawnFileAction> actions = new ArrayList<>(List.of(descriptors));
        String log = Files.createFile(directory.resolve("log")).toString();
        actions.add(SpawnFileAction.open(log, STDOUT, OpenFlags.O_WRONLY.intValue(), 0));
        actions.add(SpawnFileAction.dup(STDOUT, STDERR));
        List<String> environment = System.getenv().entrySet().stream()
                .map(variable -> variable.getKey() + "=" + variable.getValue())
                .toList();
        List<String> command = PackagedProgram.commandLine("--fd=" + INHERITED);
        pid = POSIX_CALLS.posix_spawnp(command.getFirst(), actions, command, environment);
    }

    private boolean hasExited(int[] status) {
        boolean exited = POSIX_CALLS.waitpid(pid, status, WaitFlags.WNOHANG.intValue()) == pid;
        pid = exited ? NOT_STARTED : pid;
        return exited;
    }

    private static void assertServed(FrontendSocket socket) throws IOException {
        try (EntropyDriver guest = EntropyDriver.start(socket, Options.DEFAULT.withReplyTimeout(HANG_TIMEOUT))) {
            assertEquals(64, guest.request(64, HANG_TIMEOUT).length);
        }
    }

    /** Passes one end of a socket pair to the daemon, closes that end in this process, and returns the other end. */
    private FrontendSocket spawnOnSocketPair() throws IOException {
        UnixSocketChannel[] pair = UnixSocketChannel.pair();
        int backend = pair[1].getFD();
        spawn(
                SpawnFileAction.dup(backend, INHERITED),
                SpawnFileAction.close(backend),
                SpawnFileAction.close(pair[0].getFD()));
        closeHere(backend);
        return FrontendSocket.wrap(pair[0]);
    }

    /**
     * Closes a descriptor without shutting down the socket, because the daemon uses the socket. Closing the channel
     * would shut it down.
     */
    private static void closeHere(int fd) {
        POSIX_CALLS.close(fd);
    }

    @Test
    void connectedSocketIsServed() throws Exception {
        assertServed(spawnOnSocketPair());
    }

    @Test
    void daemonExitsWhenItsConnectedSocketIsClosed() throws Exception {
        assertServed(spawnOnSocketPair());

        int[] status = new int[1];
        assertEventually("the daemon exits", () -> hasExited(status));

        assertEquals(0, status[0]);
    }

    @Test
    void descriptorOfAnotherKindIsReported() throws Exception {
        UnixDatagramChannel datagrams = UnixDatagramChannel.open();
        spawn(SpawnFileAction.dup(datagrams.getFD(), INHERITED));

        int[] status = new int[1];
        assertEventually("the daemon exits", () -> hasExited(status));
        datagrams.close();

        assertEquals(2, status[0] >> 8);
        assertEquals(
                "vhost-user-rng: --fd=" + INHERITED + ": not a listening or connected UNIX stream socket\n",
                Files.readString(directory.resolve("log")));
    }

    @Test
    void listeningSocketServesOneGuestAfterAnother() throws Exception {
        Path path = directory.resolve("socket");
        UnixServerSocketChannel listener = UnixServerSocketChannel.open();
        listener.socket().bind(new UnixSocketAddress(path.toFile()));
        spawn(SpawnFileAction.dup(listener.getFD(), INHERITED), SpawnFileAction.close(listener.getFD()));
        closeHere(listener.getFD());

        assertServed(FrontendSocket.connect(path));
        assertServed(FrontendSocket.connect(path));
    }
}
