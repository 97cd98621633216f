package org.vhostuserrng.cli.top;

import static org.vhostuserrng.fuzz.FuzzAssertions.require;
import static org.vhostuserrng.fuzz.FuzzAssertions.requireOneLine;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Instant;
import java.util.List;
import org.vhostuserrng.cli.counters.CountersFileParser;
import org.vhostuserrng.cli.counters.CountersSnapshot;
import org.vhostuserrng.cli.counters.InvalidCountersFileException;

/**
 * Shows an arbitrary counters file in {@code top}. No control character of the file may reach the terminal, and no line
 * may be longer than the terminal is wide.
 *
 * <p>Input: the bytes of the file.
 */
public final class CountersFileFuzzTarget {
    private static final int WIDTH = 80;
    private static final long INTERVAL_NANOS = 1_000_000_000L;

    private CountersFileFuzzTarget() {}

    /** Called by Jazzer. */
    public static void fuzzerTestOneInput(byte[] bytes) throws IOException {
        CountersSnapshot earlier;
        CountersSnapshot later;
        try {
            earlier = parse(bytes, 0);
            later = parse(bytes, INTERVAL_NANOS);
        } catch (InvalidCountersFileException damaged) {
            requireOneLine(damaged.getMessage());
            return;
        }
        List<GuestRates> rates = GuestRates.between(earlier, later);
        for (String line : new TopTable(WIDTH, Integer.MAX_VALUE).lines(later, rates)) {
            require(line.codePointCount(0, line.length()) <= WIDTH, "line is too long");
            if (!line.isBlank()) {
                requireOneLine(line);
            }
        }
        requireOneLine(TopJson.of(later, rates));
    }

    private static CountersSnapshot parse(byte[] bytes, long nanos) throws InvalidCountersFileException {
        ByteBuffer file = ByteBuffer.wrap(bytes.clone(), 0, bytes.length / Long.BYTES * Long.BYTES)
                .order(ByteOrder.nativeOrder());
        return new CountersFileParser(file).parse(Instant.EPOCH, nanos, true);
    }
}
