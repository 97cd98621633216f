package org.vhostuserrng.it;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * Starts the virtual machines of a test and ends them with it; a failed test shows their consoles. To be ended before
 * {@link DaemonExtension}, in whose directory they live: an {@code @Order(1)} of those does that.
 */
final class QemuContainerExtension implements AfterEachCallback {
    private final DaemonExtension daemons;
    private final List<QemuContainer> machines = new ArrayList<>();

    QemuContainerExtension(DaemonExtension daemons) {
        this.daemons = daemons;
    }

    /** Starts QEMU and does not wait for the guest. */
    QemuContainer start(QemuMachine machine) throws IOException, InterruptedException {
        return start(machine.qemu(), machine.board().program(), machine.arguments(nextDirectory()));
    }

    /** Where the sockets of the machine will be that is started next. */
    Path nextDirectory() {
        return daemons.directory().resolve("vm" + machines.size());
    }

    /** Starts a program of QEMU's whose arguments do not come from a machine. */
    QemuContainer start(DebianRelease suite, String program, List<String> arguments)
            throws IOException, InterruptedException {
        QemuContainer started = QemuContainer.start(suite, program, arguments, nextDirectory());
        machines.add(started);
        return started;
    }

    /** Starts QEMU and waits until the guest takes commands. */
    QemuContainer boot(QemuMachine machine) throws IOException, InterruptedException {
        QemuContainer started = start(machine);
        started.boot();
        return started;
    }

    @Override
    public void afterEach(ExtensionContext context) throws IOException {
        for (QemuContainer machine : machines) {
            context.getExecutionException()
                    .ifPresent(failure -> failure.addSuppressed(new AssertionError(machine.logs())));
            machine.close();
        }
        machines.clear();
    }
}
