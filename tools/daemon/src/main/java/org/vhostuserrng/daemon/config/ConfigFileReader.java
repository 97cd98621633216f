package org.vhostuserrng.daemon.config;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.vhostuserrng.libc.NativePath;

/**
 * Reads a configuration file, and then the files {@code *.conf} of the directory {@code conf.d} next to it, in the
 * order of their names. Two files must not contain the same key or guest. Has no side effects.
 */
public final class ConfigFileReader {
    /** Maximum size of one file in bytes. */
    public static final int MAX_BYTES = 1 << 20;

    /** Maximum number of files in {@code conf.d}. */
    static final int MAX_FILES = 4096;

    private static final long MAX_TOTAL_BYTES = 16L << 20;
    private static final String DIRECTORY = "conf.d";
    private static final String SUFFIX = ".conf";

    private final Map<String, ConfigEntry> options = new LinkedHashMap<>();
    private final Map<String, ConfigSection> guests = new LinkedHashMap<>();
    private long totalBytes;

    private ConfigFileReader() {}

    /**
     * Reads a file and its directory.
     *
     * @throws ConfigFileException if a file cannot be read or is malformed
     */
    public static DaemonConfig read(Path file) throws ConfigFileException {
        ConfigFileReader reader = new ConfigFileReader();
        reader.add(file);
        for (Path other : directoryFiles(file.resolveSibling(DIRECTORY))) {
            reader.add(other);
        }
        return new DaemonConfig(reader.options, reader.guests);
    }

    /**
     * Returns the files of {@code conf.d}. Files whose names begin with a dot, such as those of editors, are ignored.
     */
    private static List<Path> directoryFiles(Path directory) throws ConfigFileException {
        List<Path> files = new ArrayList<>();
        try (DirectoryStream<Path> all = Files.newDirectoryStream(directory)) {
            for (Path file : all) {
                String name = NativePath.text(file.getFileName());
                if (name.endsWith(SUFFIX) && !name.startsWith(".")) {
                    files.add(file);
                }
                if (files.size() > MAX_FILES) {
                    throw new ConfigFileException(
                            NativePath.text(directory) + ": expected at most " + MAX_FILES + " files *" + SUFFIX);
                }
            }
        } catch (NoSuchFileException none) {
            return List.of();
        } catch (IOException | java.nio.file.DirectoryIteratorException unreadable) {
            throw new ConfigFileException(
                    NativePath.text(directory) + ": expected a readable directory: " + reason(unreadable), unreadable);
        }
        Collections.sort(files);
        return files;
    }

    private void add(Path file) throws ConfigFileException {
        String name = NativePath.text(file);
        DaemonConfig read = TomlConfigParser.read(name, decode(name, contents(name, file)));
        for (ConfigEntry entry : read.options().values()) {
            ConfigEntry other = options.putIfAbsent(entry.key(), entry);
            if (other != null) {
                throw new ConfigFileException(entry.name() + ": already set in " + other.location());
            }
        }
        for (Map.Entry<String, ConfigSection> guest : read.guests().entrySet()) {
            ConfigSection other = guests.putIfAbsent(guest.getKey(), guest.getValue());
            if (other != null) {
                throw new ConfigFileException(guest.getValue().location() + ": [guest." + guest.getKey()
                        + "]: already in " + other.location());
            }
        }
    }

    private byte[] contents(String name, Path file) throws ConfigFileException {
        byte[] contents;
        try {
            // Reading a file that is not a regular file may block.
            if (!Files.isRegularFile(file) && Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
                throw new ConfigFileException(name + ": expected a regular file");
            }
            try (InputStream in = Files.newInputStream(file)) {
                contents = in.readNBytes(MAX_BYTES + 1);
            }
        } catch (IOException unreadable) {
            throw new ConfigFileException(name + ": cannot be read: " + reason(unreadable), unreadable);
        }
        totalBytes += contents.length;
        if (contents.length > MAX_BYTES) {
            throw new ConfigFileException(name + ": expected at most " + MAX_BYTES + " bytes");
        }
        if (totalBytes > MAX_TOTAL_BYTES) {
            throw new ConfigFileException(name + ": expected at most " + MAX_TOTAL_BYTES + " bytes in all files");
        }
        return contents;
    }

    private static String decode(String name, byte[] contents) throws ConfigFileException {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(contents))
                    .toString();
        } catch (CharacterCodingException invalid) {
            throw new ConfigFileException(name + ": expected UTF-8 text", invalid);
        }
    }

    private static String reason(Exception failure) {
        return switch (failure) {
            case NoSuchFileException _ -> "no such file";
            case AccessDeniedException _ -> "permission denied";
            case NotDirectoryException _ -> "not a directory";
            case java.nio.file.FileSystemException other when other.getReason() != null -> other.getReason();
            default -> String.valueOf(failure.getMessage());
        };
    }
}
