package org.vhostuserrng.cli.trace;

import java.util.ArrayList;
import java.util.List;
import net.openhft.chronicle.bytes.Bytes;

/** Formats bytes as lines of offset, hex digits and text. */
final class HexDump {
    private static final int MAX_BYTES = 512;

    private HexDump() {}

    static List<String> of(byte[] bytes) {
        if (bytes.length == 0) {
            return List.of();
        }
        String dump = Bytes.wrapForRead(bytes).toHexString(MAX_BYTES);
        List<String> lines = new ArrayList<>();
        dump.lines()
                .filter(line -> !line.startsWith("..."))
                .map(String::stripTrailing)
                .forEach(lines::add);
        if (bytes.length > MAX_BYTES) {
            lines.add("... " + (bytes.length - MAX_BYTES) + " more bytes");
        }
        return lines;
    }
}
