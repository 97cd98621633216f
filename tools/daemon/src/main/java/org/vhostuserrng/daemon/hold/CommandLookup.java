package org.vhostuserrng.daemon.hold;

import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import org.vhostuserrng.libc.NativePath;

/** Searches for a program in the same way as a shell. */
final class CommandLookup {
    /** Exit status of a shell whose command is a file that cannot be executed. */
    static final int NOT_EXECUTABLE = 126;
    /** Exit status of a shell whose command does not exist. */
    static final int NOT_FOUND = 127;

    private static final int FOUND = 0;

    private CommandLookup() {}

    /**
     * Returns 0 if the program can be executed, otherwise the exit status of a shell that cannot execute it.
     *
     * @param program name or path of the program; searched in PATH unless it contains a slash
     * @param path the value of PATH; null if it is not set
     */
    static int status(String program, String path) {
        if (program.contains("/")) {
            return statusOfFile(program);
        }
        int status = NOT_FOUND;
        // Without PATH, a shell may search other directories. If it finds no program there, it prints an error itself.
        for (String directory : path == null ? new String[] {"/bin", "/usr/bin"} : path.split(":", -1)) {
            int found = statusOfFile((directory.isEmpty() ? "." : directory) + "/" + program);
            if (found == FOUND) {
                return FOUND;
            }
            status = Math.min(status, found);
        }
        return status;
    }

    private static int statusOfFile(String name) {
        try {
            Path file = NativePath.of(name);
            if (!Files.exists(file)) {
                return NOT_FOUND;
            }
            return Files.isRegularFile(file) && Files.isExecutable(file) ? FOUND : NOT_EXECUTABLE;
        } catch (InvalidPathException invalid) {
            return NOT_FOUND;
        }
    }
}
