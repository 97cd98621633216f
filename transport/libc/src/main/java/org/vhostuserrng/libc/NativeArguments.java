package org.vhostuserrng.libc;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * Reads the arguments of this process without loss. The JVM decodes arguments with the encoding of the locale; in the
 * locale C it replaces every byte outside ASCII.
 */
public final class NativeArguments {
    private static final Path COMMAND_LINE = Path.of("/proc/self/cmdline");

    private NativeArguments() {}

    /** Returns the arguments of {@code main}, decoded by {@link NativeText}; the given ones if /proc is not mounted. */
    public static String[] decode(String... arguments) {
        for (String argument : arguments) {
            if (!NativeText.isAscii(argument)) {
                try {
                    return lastOf(Files.readAllBytes(COMMAND_LINE), arguments);
                } catch (IOException noProc) {
                    return arguments;
                }
            }
        }
        return arguments;
    }

    /**
     * Returns the last arguments of a command line, as many as there are in {@code arguments}.
     *
     * @param commandLine NUL-terminated strings, as in proc_pid_cmdline(5)
     */
    static String[] lastOf(byte[] commandLine, String... arguments) {
        String[] last = arguments.clone();
        int end = commandLine.length;
        for (int i = last.length - 1; i >= 0; i--) {
            if (end == 0) {
                return arguments;
            }
            int start = end - 1;
            while (start > 0 && commandLine[start - 1] != 0) {
                start--;
            }
            last[i] = NativeText.decode(Arrays.copyOfRange(commandLine, start, end - 1));
            end = start;
        }
        return last;
    }
}
