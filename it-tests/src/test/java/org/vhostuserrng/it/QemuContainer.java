package org.vhostuserrng.it;

import static org.vhostuserrng.it.EventualAssertions.eventually;

import com.github.dockerjava.api.command.InspectContainerResponse.ContainerState;
import com.github.dockerjava.api.model.Bind;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.testcontainers.DockerClientFactory;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.utility.DockerImageName;

/** QEMU in a container. It sees the directory of the test, where the sockets are, and the cached kernels. */
final class QemuContainer implements AutoCloseable {
    private static final Duration LIMIT = Duration.ofSeconds(60);

    private final GenericContainer<?> container;
    private final Path directory;
    private GuestSerialConsole console;
    private QmpClient qmp;
    /** QEMU's stderr, once the container is gone. */
    private String stderr;

    private QemuContainer(GenericContainer<?> container, Path directory) {
        this.container = container;
        this.directory = directory;
    }

    /** Starts QEMU without waiting for what it does. The directory's parent is the test's. */
    @SuppressWarnings("resource") // it is the machine's, to be closed with it
    static QemuContainer start(DebianRelease suite, String program, List<String> arguments, Path directory)
            throws IOException, InterruptedException {
        assumeEngine();
        String image = GuestImageScripts.image(suite);
        Files.createDirectory(directory);
        Path cache = cache();
        GenericContainer<?> container = new GenericContainer<>(DockerImageName.parse(image))
                .withImagePullPolicy(name -> false)
                .withNetworkMode("none")
                .withCommand(arguments.toArray(String[]::new))
                .withCreateContainerCmdModifier(create -> {
                    create.withEntrypoint(program);
                    create.getHostConfig()
                            .withBinds(
                                    Bind.parse(directory.getParent() + ":" + directory.getParent()),
                                    Bind.parse(cache + ":" + cache + ":ro"));
                });
        QemuContainer machine = new QemuContainer(container, directory);
        container.start();
        return machine;
    }

    /** Skips the test where containers cannot be had. */
    static void assumeEngine() {
        if (!DockerClientFactory.instance().isDockerAvailable()) {
            GuestImageScripts.abandon("no container engine answers", false);
        }
    }

    private static Path cache() {
        String home = System.getenv("XDG_CACHE_HOME");
        Path caches =
                home == null || home.isEmpty() ? Path.of(System.getProperty("user.home"), ".cache") : Path.of(home);
        return caches.resolve("vhost-user-rng");
    }

    /** The guest's serial line, connected when it is first asked for: only then QEMU goes on. */
    GuestSerialConsole console() throws IOException {
        if (console == null) {
            console = GuestSerialConsole.over(connect("console"));
        }
        return console;
    }

    QmpClient qmp() throws IOException {
        if (qmp == null) {
            qmp = QmpClient.over(connect("qmp"));
        }
        return qmp;
    }

    /** A container has a network of its own, so that the host's table of sockets says nothing about it. */
    private SocketChannel connect(String name) throws IOException {
        UnixDomainSocketAddress address = UnixDomainSocketAddress.of(directory.resolve(name));
        SocketChannel[] connected = new SocketChannel[1];
        eventually("QEMU listens at " + name + " or has ended", () -> {
            connected[0] = connectIfListening(address);
            return connected[0] != null || !isRunning();
        });
        if (connected[0] == null) {
            throw new AssertionError("QEMU has ended" + logs());
        }
        return connected[0];
    }

    private static SocketChannel connectIfListening(UnixDomainSocketAddress address) {
        try {
            return SocketChannel.open(address);
        } catch (IOException notYet) {
            return null;
        }
    }

    /** Boots Linux to its command line. */
    GuestSerialConsole boot() throws IOException, InterruptedException {
        console().awaitReady();
        return console();
    }

    boolean isRunning() {
        return Boolean.TRUE.equals(state().getRunning());
    }

    private ContainerState state() {
        return container.getCurrentContainerInfo().getState();
    }

    /** Powers the guest off, upon which QEMU ends. */
    int powerOff() throws IOException, InterruptedException {
        console().send("poweroff -f");
        return awaitExit();
    }

    /** QEMU's exit status. */
    int awaitExit() throws InterruptedException {
        long deadline = System.nanoTime() + LIMIT.toNanos();
        while (isRunning()) {
            if (System.nanoTime() > deadline) {
                throw new AssertionError("QEMU did not end within " + LIMIT);
            }
            Thread.sleep(20);
        }
        return state().getExitCodeLong().intValue();
    }

    /** SIGKILL. */
    void kill() throws InterruptedException {
        container.getDockerClient().killContainerCmd(container.getContainerId()).exec();
        awaitExit();
    }

    /** For the message of a failure: the guest's console and QEMU's stderr. */
    String logs() {
        String said = console == null ? "" : console.text();
        return "\n---- guest's console\n" + said + "\n---- QEMU's stderr\n" + stderr();
    }

    private String stderr() {
        return stderr == null ? container.getLogs() : stderr;
    }

    @Override
    public void close() throws IOException {
        stderr = container.getLogs();
        if (qmp != null) {
            qmp.close();
        }
        if (console != null) {
            console.close();
        }
        container.stop();
    }
}
