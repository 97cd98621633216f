package org.vhostuserrng.libc;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/**
 * Reads the environment of this process without loss. {@link System#getenv} decodes it with the locale's encoding,
 * which may lose bytes.
 */
@SuppressWarnings("restricted")
public final class EnvironmentVariables {
    /** Prefix of the system properties with the original values of variables that the launcher replaced. */
    public static final String LAUNCHER_PROPERTY = "vhost-user-rng.environment.";

    private static final MemorySegment ENVIRON = Libc.symbol("environ");
    private static final List<String> LAUNCHER_VARIABLES = List.of("LC_ALL", "MALLOC_ARENA_MAX");

    private EnvironmentVariables() {}

    /** Returns the variables in the form {@code NAME=VALUE}, decoded by {@link NativeText}. */
    public static List<String> variables() {
        List<String> variables = new ArrayList<>();
        long array = ENVIRON.reinterpret(Long.BYTES).get(ValueLayout.JAVA_LONG, 0);
        long pointer = pointerAt(array);
        while (pointer != 0) {
            variables.add(NativeText.decode(bytesOfString(pointer)));
            array += Long.BYTES;
            pointer = pointerAt(array);
        }
        return variables;
    }

    /** Like {@link #variables}, with the original values of the variables that the launcher replaced for this JVM. */
    public static List<String> variablesBeforeLauncher() {
        List<String> original = new ArrayList<>();
        for (String variable : variables()) {
            if (System.getProperty(LAUNCHER_PROPERTY + variable.split("=", 2)[0]) == null) {
                original.add(variable);
            }
        }
        for (String name : LAUNCHER_VARIABLES) {
            String value = System.getProperty(LAUNCHER_PROPERTY + name, "");
            if (!value.isEmpty()) {
                original.add(name + "=" + value);
            }
        }
        return original;
    }

    private static long pointerAt(long address) {
        return MemorySegment.ofAddress(address).reinterpret(Long.BYTES).get(ValueLayout.JAVA_LONG, 0);
    }

    private static byte[] bytesOfString(long address) {
        MemorySegment string = MemorySegment.ofAddress(address).reinterpret(Integer.MAX_VALUE);
        int length = 0;
        while (string.get(ValueLayout.JAVA_BYTE, length) != 0) {
            length++;
        }
        return string.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE);
    }
}
