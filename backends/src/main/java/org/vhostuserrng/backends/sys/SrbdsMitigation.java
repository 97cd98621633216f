package org.vhostuserrng.backends.sys;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The effect of Special Register Buffer Data Sampling (SRBDS, CVE-2020-0543) and its mitigation on RDRAND and RDSEED.
 */
public final class SrbdsMitigation {
    private static final Path STATUS = Path.of("/sys/devices/system/cpu/vulnerabilities/srbds");

    private SrbdsMitigation() {}

    /** Returns a warning for the log about the effects of RDRAND and RDSEED on this host; null if there are none. */
    public static String warning() {
        try {
            return warning(Files.readString(STATUS).strip());
        } catch (IOException unknownToThisKernel) {
            return null;
        }
    }

    /**
     * Returns the warning for a status; null if there is none.
     *
     * @param status one of those in Linux Documentation/admin-guide/hw-vuln/special-register-buffer-data-sampling.rst
     */
    static String warning(String status) {
        if (status.startsWith("Not affected") || status.startsWith("Mitigation: TSX disabled")) {
            return null;
        }
        String warning = status.startsWith("Mitigation")
                ? "each use slows down the other processors of this host"
                : "other processors of this host can observe the random bytes";
        return warning + " (SRBDS: " + status + ")";
    }
}
