package org.vhostuserrng.cli.doctor;

import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Checks whether the limits of open files and of memory mappings suffice for the number of guests. */
final class LimitCheck implements HostCheck {
    private static final String OPEN_FILES = "open files";
    private static final String MAPPINGS = "memory mappings";
    private static final String MAX_MAP_COUNT = "/proc/sys/vm/max_map_count";

    /**
     * Sockets, eventfds, inflight buffer, journal and memory of a guest, and the memory of a new memory table before
     * the old one is unmapped.
     */
    private static final long FILES_PER_GUEST = 32;

    private static final long OTHER_FILES = 128;

    /** As in the daemon: 8 regions in an old and a new memory table, and 3 other mappings in each share. */
    private static final long MAPPINGS_PER_GUEST = 2 * (8 + 3);

    private static final long OTHER_MAPPINGS = 4096;

    private static final Pattern LIMIT = Pattern.compile("(?m)^Max open files +(\\d{1,18}|unlimited) ");

    private final int guests;
    private final Optional<HostProcess> daemon;
    private final HostFiles files;

    /**
     * Creates a check.
     *
     * @param guests the number of guests of the daemon
     * @param daemon the daemon's process, if it is known
     */
    LimitCheck(int guests, Optional<HostProcess> daemon, HostFiles files) {
        this.guests = guests;
        this.daemon = daemon;
        this.files = files;
    }

    @Override
    public List<CheckResult> run() {
        return List.of(openFiles(), mappings());
    }

    private CheckResult openFiles() {
        Optional<String> limits =
                daemon.flatMap(process -> files.text(HostProcesses.directory(process.pid()) + "/limits"));
        Matcher limit = LIMIT.matcher(limits.orElse(""));
        if (!limit.find()) {
            return CheckResult.notChecked(
                    OPEN_FILES,
                    "The daemon's process is not known, or its limits cannot be read.",
                    "Run this as root.");
        }
        long needed = OTHER_FILES + guests * FILES_PER_GUEST;
        String finding = daemon.get() + " may open " + limit.group(1) + " files; " + guestsNeed(needed);
        boolean enough = limit.group(1).equals("unlimited") || Long.parseLong(limit.group(1)) >= needed;
        return enough
                ? CheckResult.ok(OPEN_FILES, finding)
                : CheckResult.problem(
                        OPEN_FILES, finding, "Raise LimitNOFILE= of the unit, or ulimit -Hn, and restart the daemon.");
    }

    private CheckResult mappings() {
        String max = files.line(MAX_MAP_COUNT).orElse("");
        if (!max.matches("[0-9]{1,18}")) {
            return CheckResult.notChecked(
                    MAPPINGS, MAX_MAP_COUNT + " cannot be read.", "sysctl vm.max_map_count shows it.");
        }
        long needed = OTHER_MAPPINGS + guests * MAPPINGS_PER_GUEST;
        String finding = "vm.max_map_count is " + max + "; " + guestsNeed(needed);
        return Long.parseLong(max) >= needed
                ? CheckResult.ok(MAPPINGS, finding)
                : CheckResult.problem(
                        MAPPINGS, finding, "sysctl vm.max_map_count=" + needed + ", and restart the daemon.");
    }

    private String guestsNeed(long needed) {
        return (guests == 1 ? "one guest needs up to " : guests + " guests need up to ") + needed + ".";
    }
}
