package org.vhostuserrng.cli.doctor;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.vhostuserrng.libc.NativePath;
import org.vhostuserrng.libc.NativeText;

/** Reads files of the host. All paths are absolute, and below a root directory that tests choose. */
final class HostFiles {
    /** More than the arguments of a process, or the sockets of a host with 4096 guests. */
    private static final int MAX_BYTES = 16 << 20;

    private final Path root;

    HostFiles(Path root) {
        this.root = root;
    }

    private Path path(String absolute) {
        return root.resolve(NativePath.of(absolute.substring(1)));
    }

    boolean exists(String path) {
        return Files.exists(path(path));
    }

    /** Returns the text of a file, decoded by {@link NativeText}; empty if it cannot be read. */
    Optional<String> text(String path) {
        // Not Files.readString: it first reads one byte, and procfs returns no data to the second read.
        try (InputStream file = Files.newInputStream(path(path))) {
            return Optional.of(NativeText.decode(file.readNBytes(MAX_BYTES)));
        } catch (IOException unreadable) {
            return Optional.empty();
        }
    }

    /** Returns the text of a file of one line, without white space at its ends; empty if it cannot be read. */
    Optional<String> line(String path) {
        return text(path).map(String::strip);
    }

    /** Returns the names of the files in a directory; none if it cannot be read. */
    List<String> list(String path) {
        List<String> names = new ArrayList<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(path(path))) {
            files.forEach(file -> names.add(NativePath.text(file.getFileName())));
        } catch (IOException | DirectoryIteratorException unreadable) {
            return List.of();
        }
        return names;
    }

    /** Returns the target of a symbolic link; empty if it cannot be read. */
    Optional<String> link(String path) {
        try {
            return Optional.of(NativePath.text(Files.readSymbolicLink(path(path))));
        } catch (IOException unreadable) {
            return Optional.empty();
        }
    }

    /** Returns the path without symbolic links; the path itself if a part does not exist or cannot be reached. */
    String realPath(String path) {
        try {
            Path real = path(path).toRealPath();
            return "/" + NativePath.text(root.toRealPath().relativize(real));
        } catch (IOException unreachable) {
            return path;
        }
    }

    /**
     * Returns the status of a file, whose symbolic links are followed; empty if it does not exist.
     *
     * @throws IOException if it cannot be determined whether it exists
     */
    Optional<HostFileStatus> status(String path) throws IOException {
        try {
            Map<String, Object> attributes = Files.readAttributes(path(path), "unix:mode,uid,gid");
            return Optional.of(new HostFileStatus(
                    (int) attributes.get("mode"),
                    Integer.toUnsignedLong((int) attributes.get("uid")),
                    Integer.toUnsignedLong((int) attributes.get("gid"))));
        } catch (NoSuchFileException missing) {
            return Optional.empty();
        }
    }
}
