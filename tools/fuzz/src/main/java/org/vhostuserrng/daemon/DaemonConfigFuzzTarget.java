package org.vhostuserrng.daemon;

import static org.vhostuserrng.fuzz.FuzzAssertions.requireOneLine;

import java.nio.charset.StandardCharsets;
import org.vhostuserrng.daemon.config.ConfigFileException;
import org.vhostuserrng.daemon.config.DaemonConfig;
import org.vhostuserrng.daemon.config.TomlConfigParser;
import org.vhostuserrng.libc.NativeText;

/**
 * Parses arbitrary text as a configuration file. The file must be accepted, or refused with one line that begins with
 * its name.
 */
public final class DaemonConfigFuzzTarget {
    private static final String FILE = "rng.conf";

    private DaemonConfigFuzzTarget() {}

    /** Called by Jazzer. */
    public static void fuzzerTestOneInput(byte[] input) {
        try {
            read(new String(input, StandardCharsets.UTF_8));
        } catch (BadUsageException | ConfigFileException refused) {
            requireOneLine(NativeText.printable(refused.getMessage()));
            if (!refused.getMessage().startsWith(FILE + ":")) {
                throw new AssertionError("no file: " + refused.getMessage(), refused);
            }
        }
    }

    /** Parses a file and those of its options that do not depend on the host, such as rate limits. */
    static void read(String text) throws ConfigFileException, BadUsageException {
        DaemonConfig config = TomlConfigParser.read(FILE, text);
        DaemonArguments arguments = DaemonArguments.parse(DaemonCommand.PROGRAM, DaemonOptions.all())
                .withDefaults(ConfigOptions.ofTop(config.options()));
        RateLimiterSettings unused =
                RateLimiterOptionParser.parse(arguments, GuestOptions.of(arguments, config.guests()));
        assert unused != null;
    }
}
