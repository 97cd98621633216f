package org.vhostuserrng.cli.process;

import java.io.PrintWriter;
import java.util.concurrent.atomic.AtomicBoolean;

/** Prints the first line of a service on its own thread, because stdout may be a full pipe that nobody reads. */
public final class BackgroundOutput {
    private final AtomicBoolean failed = new AtomicBoolean();

    private BackgroundOutput() {}

    /**
     * Starts to print a line. Does not wait until it is printed.
     *
     * @param onFailure called on the thread of this object if the line cannot be printed
     */
    public static BackgroundOutput print(PrintWriter out, String line, Runnable onFailure) {
        BackgroundOutput output = new BackgroundOutput();
        Thread.ofPlatform().daemon().name("stdout").start(() -> {
            out.println(line);
            if (out.checkError()) {
                output.failed.set(true);
                onFailure.run();
            }
        });
        return output;
    }

    /** Whether the line could not be printed. */
    public boolean hasFailed() {
        return failed.get();
    }
}
