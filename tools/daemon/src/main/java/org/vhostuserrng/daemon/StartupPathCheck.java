package org.vhostuserrng.daemon;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.vhostuserrng.libc.NativePath;

/** Checks the files that the daemon would create, for {@code --check-config}. Opens and changes nothing. */
final class StartupPathCheck {
    private static final Logger LOG = LoggerFactory.getLogger(StartupPathCheck.class);

    /** inode(7): S_IFMT and S_IFSOCK. */
    private static final int FILE_TYPE_MASK = 0170000;

    private static final int SOCKET = 0140000;

    private final Set<Path> missingDirectories = new HashSet<>();

    private StartupPathCheck() {}

    /**
     * Logs directories that do not exist: a service manager may create them before the daemon starts.
     *
     * @throws BadUsageException if a socket or the counters file has the path of another kind of file
     */
    static void check(DaemonSettings settings) throws BadUsageException {
        StartupPathCheck check = new StartupPathCheck();
        List<Path> sockets = new ArrayList<>();
        settings.endpoints().forEach(endpoint -> {
            if (endpoint.listeningPath() != null) {
                sockets.add(endpoint.listeningPath());
            }
        });
        if (settings.controlSocket() != null) {
            sockets.add(RngEndpoint.normalized(settings.controlSocket().path()));
        }
        for (Path socket : sockets) {
            check.requireSocket(socket);
        }
        if (settings.countersFile() != null) {
            check.requireCountersFile(RngEndpoint.normalized(settings.countersFile()));
        }
    }

    private void requireSocket(Path path) throws BadUsageException {
        requireDirectory(path);
        if (Files.exists(path, LinkOption.NOFOLLOW_LINKS) && !isSocket(path)) {
            throw new BadUsageException("'" + NativePath.text(path) + "' exists and is not a socket");
        }
    }

    private static boolean isSocket(Path path) {
        try {
            int mode = (Integer) Files.getAttribute(path, "unix:mode");
            return (mode & FILE_TYPE_MASK) == SOCKET;
        } catch (IOException unknown) {
            // A daemon that starts will report the error.
            return true;
        }
    }

    private void requireCountersFile(Path path) throws BadUsageException {
        requireDirectory(path);
        if (Files.exists(path) && !Files.isRegularFile(path)) {
            throw new BadUsageException(DaemonOptions.COUNTERS_FILE + "='" + NativePath.text(path)
                    + "': expected a regular file, or a path without a file");
        }
    }

    private void requireDirectory(Path path) throws BadUsageException {
        Path directory = path.getParent();
        if (directory == null || Files.isDirectory(directory)) {
            return;
        }
        if (Files.exists(directory)) {
            throw new BadUsageException(
                    "'" + NativePath.text(path) + "': '" + NativePath.text(directory) + "' is not a directory");
        }
        if (missingDirectories.add(directory)) {
            LOG.warn("directory '{}' does not exist; the start fails without it", NativePath.text(directory));
        }
    }
}
