package org.vhostuserrng.it;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.vhostuserrng.it.EventualAssertions.eventually;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * Starts the packaged {@code egd-server} in a test's directory and ends it with the test; a failed test shows what it
 * said. To be ended before {@link DaemonExtension}, whose directory it is: an {@code @Order(1)} does that.
 */
final class EgdServerExtension implements AfterEachCallback {
    private final DaemonExtension daemons;
    private final List<Process> servers = new ArrayList<>();

    EgdServerExtension(DaemonExtension daemons) {
        this.daemons = daemons;
    }

    /** Where all of them listen. */
    Path socket() {
        return daemons.directory().resolve("egd");
    }

    private Path log() {
        return daemons.directory().resolve("egd.log");
    }

    /** Starts one and waits until it listens. */
    Process start(String... options) throws IOException {
        List<String> arguments = new ArrayList<>(List.of("egd-server", "--listen=unix:" + socket()));
        arguments.addAll(List.of(options));
        Process server = new ProcessBuilder(PackagedProgram.command(arguments.toArray(String[]::new)))
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log().toFile()))
                .start();
        servers.add(server);
        eventually("the server listens", () -> !server.isAlive() || DaemonExtension.listens(socket()));
        assertTrue(server.isAlive(), () -> "the server ended");
        return server;
    }

    @Override
    public void afterEach(ExtensionContext context) throws IOException {
        servers.forEach(server -> server.destroyForcibly().onExit().join());
        if (context.getExecutionException().isPresent() && !servers.isEmpty()) {
            Throwable failure = context.getExecutionException().get();
            failure.addSuppressed(new AssertionError("the EGD server's log:\n" + Files.readString(log())));
        }
        servers.clear();
    }
}
