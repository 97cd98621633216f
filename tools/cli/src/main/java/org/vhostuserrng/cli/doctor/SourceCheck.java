package org.vhostuserrng.cli.doctor;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Checks whether the sources serve, as reported by the daemon; without a report, whether their files can be read. */
final class SourceCheck implements HostCheck {
    private static final String SOURCE = "source";

    /** Matches a file or a UNIX socket in a source expression. Does not decode commas that are written twice. */
    private static final Pattern FILE = Pattern.compile("(file|egd:unix):(/[^,+)]*?)(?=[,+)]|, else |$)");

    /** Opens a source to find out whether it can be used. */
    @FunctionalInterface
    interface SourceProbe {
        /** Throws an exception, whose message is one line, if the source cannot be used. */
        void probe(String expression) throws IOException;
    }

    private final List<Map<String, String>> states;
    private final List<String> sources;
    private final Optional<UserIds> user;
    private final HostFiles files;
    private final SourceProbe probe;

    /**
     * Creates a check.
     *
     * @param states the response of the daemon to {@code source status}; empty if it was not asked
     * @param sources the configured sources; empty if they are not known
     * @param user the user of the daemon, if known
     */
    SourceCheck(
            List<Map<String, String>> states,
            List<String> sources,
            Optional<UserIds> user,
            HostFiles files,
            SourceProbe probe) {
        this.states = List.copyOf(states);
        this.sources = sources;
        this.user = user;
        this.files = files;
        this.probe = probe;
    }

    @Override
    public List<CheckResult> run() {
        List<CheckResult> results = new ArrayList<>();
        if (!states.isEmpty()) {
            states.forEach(state -> results.add(state(state)));
            return results;
        }
        Map<String, Integer> accesses = new LinkedHashMap<>();
        for (String source : sources) {
            Matcher file = FILE.matcher(source);
            while (file.find()) {
                accesses.put(file.group(2), file.group(1).equals("file") ? HostFileStatus.READ : HostFileStatus.WRITE);
            }
        }
        accesses.forEach((path, access) -> results.add(file(path, access)));
        if (results.isEmpty()) {
            results.add(kernel());
        }
        return results;
    }

    private static CheckResult state(Map<String, String> source) {
        String name = source.getOrDefault("source", "?");
        String state = source.getOrDefault("state", "?");
        String finding = "The daemon says of " + name + ": " + state + ".";
        return switch (state) {
            case "serves", "empty", "unused" -> CheckResult.ok(SOURCE, finding);
            case "quarantined" ->
                CheckResult.problem(
                        SOURCE, finding, "vhost-user-rng ctl source release " + name + " lets it serve again.");
            case "silent" ->
                CheckResult.problem(SOURCE, finding, "Find out why it provides no bytes, or add a fallback source.");
            case "failed its health tests" ->
                CheckResult.problem(SOURCE, finding, "vhost-user-rng check-source shows what is wrong with its bytes.");
            case "failed" ->
                CheckResult.problem(SOURCE, finding, "The daemon's log says why it cannot be opened or read.");
            default -> CheckResult.notChecked(SOURCE, finding, "A newer daemon has other states than this program.");
        };
    }

    private CheckResult file(String path, int access) {
        String granted = access == HostFileStatus.READ ? "read" : "write to";
        try {
            Optional<HostFileStatus> status = files.status(path);
            if (status.isEmpty()) {
                return CheckResult.problem(
                        SOURCE, path + " does not exist.", "Plug in the device, or correct the path of the source.");
            }
            if (user.isEmpty()) {
                return CheckResult.notChecked(
                        SOURCE,
                        path + " exists (" + status.get() + "). The daemon's user is not known.",
                        "Start the daemon, and check again as root.");
            }
            return status.get().grants(user.get(), access)
                    ? CheckResult.ok(SOURCE, user.get().name() + " may " + granted + " " + path + ".")
                    : CheckResult.problem(
                            SOURCE,
                            user.get().name() + " may not " + granted + " " + path + " (" + status.get()
                                    + "). ACLs are not looked at.",
                            "Give the file a group of this user. The package has a udev rule for /dev/hwrng.");
        } catch (IOException unreachable) {
            return CheckResult.notChecked(SOURCE, path + " cannot be reached.", "Run this as root.");
        }
    }

    private CheckResult kernel() {
        try {
            probe.probe("getrandom");
            return CheckResult.ok(SOURCE, "getrandom provides bytes.");
        } catch (IOException unusable) {
            return CheckResult.problem(
                    SOURCE, "getrandom: " + unusable.getMessage() + ".", "Name another source with --source.");
        }
    }
}
