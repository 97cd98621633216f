package org.vhostuserrng.it;

import static org.junit.jupiter.api.Assumptions.abort;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Some of the machine's huge pages, set aside for as long as this is open. */
final class ReservedHugePages implements AutoCloseable {
    /** Of 2 MiB, what x86-64 and arm64 have unless told otherwise. */
    static final long SIZE = 2 << 20;

    private static final Path NUMBER = Path.of("/proc/sys/vm/nr_hugepages");

    private final String before;

    private ReservedHugePages(String before) {
        this.before = before;
    }

    /** As many more; the test is skipped where that cannot be. */
    static ReservedHugePages reserve(int count) throws IOException {
        String before = Files.readString(NUMBER).strip();
        int wanted = Integer.parseInt(before) + count;
        ReservedHugePages pages = new ReservedHugePages(before);
        if (!Files.isWritable(NUMBER) || !pages.becomes(Integer.toString(wanted))) {
            abort("HUGE PAGES ARE NOT TESTED: " + NUMBER + " cannot be raised by " + count);
        }
        return pages;
    }

    private boolean becomes(String number) throws IOException {
        Files.writeString(NUMBER, number);
        if (Files.readString(NUMBER).strip().equals(number)) {
            return true;
        }
        close();
        return false;
    }

    @Override
    public void close() throws IOException {
        Files.writeString(NUMBER, before);
    }
}
