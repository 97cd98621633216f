package org.vhostuserrng.libc;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Recognizes a killed process whose end is blocked: the kernel reports the end of a process when its last thread has
 * ended, and a thread that waits uninterruptibly in a system call does not end, even after SIGKILL.
 */
public final class KilledProcess {
    private static final Path PROC = Path.of("/proc");
    private static final int SIGKILL = 9;
    /** The bit of SIGKILL in a mask of signals (proc_pid_status(5)). */
    private static final long SIGKILL_MASK = 1L << (SIGKILL - 1);

    private KilledProcess() {}

    /** Returns whether a process is ending, its main thread has ended, and another thread has not. */
    public static boolean isBlocked(int pid) {
        return isBlocked(PROC.resolve(Integer.toString(pid)));
    }

    /** Returns whether {@link #isBlocked(int)} is true for any process that this one can see. */
    public static boolean isAnyBlocked() {
        try (DirectoryStream<Path> processes = Files.newDirectoryStream(PROC, "[0-9]*")) {
            for (Path process : processes) {
                if (isBlocked(process)) {
                    return true;
                }
            }
            return false;
        } catch (IOException | DirectoryIteratorException noProcFileSystem) {
            return false;
        }
    }

    /**
     * Like {@link #isBlocked(int)}.
     *
     * @param process the directory of the process in procfs
     */
    static boolean isBlocked(Path process) {
        boolean blocked = false;
        try (DirectoryStream<Path> threads = Files.newDirectoryStream(process.resolve("task"))) {
            for (Path thread : threads) {
                boolean isMain = thread.getFileName().equals(process.getFileName());
                boolean hasEnded = hasEnded(thread);
                if (isMain ? !hasEnded : !hasEnded && !isKilled(thread)) {
                    return false;
                }
                blocked |= !hasEnded;
            }
            return blocked;
        } catch (IOException | DirectoryIteratorException hasEnded) {
            return false;
        }
    }

    private static boolean hasEnded(Path thread) throws IOException {
        String state = field(thread, "State:");
        return state.startsWith("Z") || state.startsWith("X");
    }

    private static boolean isKilled(Path thread) throws IOException {
        return (Long.parseUnsignedLong(field(thread, "SigPnd:"), 16) & SIGKILL_MASK) != 0;
    }

    private static String field(Path thread, String name) throws IOException {
        for (String line : Files.readAllLines(thread.resolve("status"), StandardCharsets.ISO_8859_1)) {
            if (line.startsWith(name)) {
                return line.substring(name.length()).strip();
            }
        }
        throw new IOException(thread + " has no " + name);
    }
}
