package org.vhostuserrng.cli.trace;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.StringJoiner;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.vhostuserrng.frontend.ReceivedFileDescriptor;

/** Describes the file to which a file descriptor refers, using /proc and fcntl(2). */
final class TraceFdDescription {
    /** Target of the link of a memfd in /proc/self/fd. */
    private static final Pattern MEMFD = Pattern.compile("/memfd:(.*) \\(deleted\\)");

    /** Targets of the links of sockets and pipes in /proc/self/fd. */
    private static final Pattern NUMBERED = Pattern.compile("(socket|pipe):\\[(\\d+)]");

    private static final Pattern ANONYMOUS = Pattern.compile("anon_inode:\\[?([^]]*)]?");

    /** The seals of fcntl(2): bit and name without F_SEAL_. */
    private static final Map<Integer, String> SEALS = new TreeMap<>(
            Map.of(0x1, "SEAL", 0x2, "SHRINK", 0x4, "GROW", 0x8, "WRITE", 0x10, "FUTURE_WRITE", 0x20, "EXEC"));

    private TraceFdDescription() {}

    static String of(ReceivedFileDescriptor descriptor) {
        Path link = Path.of("/proc/self/fd", Integer.toString(descriptor.fd()));
        try {
            return printable(
                    describe(descriptor, link, Files.readSymbolicLink(link).toString()));
        } catch (IOException unreadable) {
            return "unknown (" + printable(String.valueOf(unreadable.getMessage())) + ")";
        }
    }

    private static String describe(ReceivedFileDescriptor descriptor, Path link, String target) throws IOException {
        Matcher memfd = MEMFD.matcher(target);
        if (memfd.matches()) {
            return "memfd \"" + memfd.group(1) + "\" " + TraceNumberFormat.bytes(Files.size(link)) + " "
                    + seals(descriptor);
        }
        Matcher anonymous = ANONYMOUS.matcher(target);
        if (anonymous.matches()) {
            return anonymous.group(1) + counter(descriptor);
        }
        Matcher numbered = NUMBERED.matcher(target);
        if (numbered.matches()) {
            return numbered.group(1) + " " + numbered.group(2);
        }
        return Files.isRegularFile(link) ? "file " + target + " " + TraceNumberFormat.bytes(Files.size(link)) : target;
    }

    private static String seals(ReceivedFileDescriptor descriptor) {
        int seals = descriptor.seals().orElse(0);
        StringJoiner names = new StringJoiner(" ", "seals={", "}");
        SEALS.forEach((seal, name) -> {
            if ((seals & seal) != 0) {
                names.add(name);
            }
        });
        return names.toString();
    }

    /** Returns the id and the counter of an eventfd. The kernel's id shows whether the same eventfd is sent again. */
    private static String counter(ReceivedFileDescriptor descriptor) throws IOException {
        StringBuilder text = new StringBuilder();
        for (String line : Files.readAllLines(Path.of("/proc/self/fdinfo", Integer.toString(descriptor.fd())))) {
            String value = line.substring(line.indexOf(':') + 1).strip();
            if (line.startsWith("eventfd-id:")) {
                text.insert(0, " " + value);
            } else if (line.startsWith("eventfd-count:")) {
                text.append(" count=").append(Long.parseUnsignedLong(value, 16));
            }
        }
        return text.toString();
    }

    /** Replaces control characters: the peer chooses the names, which could contain terminal escape sequences. */
    private static String printable(String text) {
        return text.replaceAll("[^ -~]", "?");
    }
}
