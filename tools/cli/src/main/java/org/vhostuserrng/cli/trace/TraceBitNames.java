package org.vhostuserrng.cli.trace;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.StringJoiner;
import org.vhostuserrng.frontend.ProtocolFeatureBit;
import org.vhostuserrng.frontend.VirtioFeatureBit;

/** Formats bit masks: the value in hex, then the names of the set bits, lowest bit first. */
final class TraceBitNames {
    private static final Map<Long, String> VIRTIO = new LinkedHashMap<>();
    private static final Map<Long, String> PROTOCOL = new LinkedHashMap<>();

    /** VIRTIO 1.3 §2.1 "Device Status Field". Only VIRTIO 1.4 defines SUSPEND. */
    private static final Map<Long, String> STATUS = Map.of(
            1L, "ACKNOWLEDGE",
            2L, "DRIVER",
            4L, "DRIVER_OK",
            8L, "FEATURES_OK",
            16L, "SUSPEND",
            64L, "DEVICE_NEEDS_RESET",
            128L, "FAILED");

    private static final Map<Long, String> VRING_FLAGS = Map.of(1L, "LOG");

    static {
        for (VirtioFeatureBit feature : VirtioFeatureBit.values()) {
            VIRTIO.put(feature.mask(), feature.name());
        }
        for (ProtocolFeatureBit feature : ProtocolFeatureBit.values()) {
            PROTOCOL.put(feature.mask(), feature.name());
        }
    }

    private TraceBitNames() {}

    static String virtioFeatures(long word) {
        return named(word, VIRTIO);
    }

    static String protocolFeatures(long word) {
        return named(word, PROTOCOL);
    }

    static String status(long word) {
        return named(word, STATUS);
    }

    static String vringFlags(long word) {
        return named(word, VRING_FLAGS);
    }

    private static String named(long word, Map<Long, String> names) {
        if (word == 0) {
            return "0x0";
        }
        StringJoiner bits = new StringJoiner(" ", " {", "}");
        for (int bit = 0; bit < Long.SIZE; bit++) {
            long mask = 1L << bit;
            if ((word & mask) != 0) {
                bits.add(names.getOrDefault(mask, "bit-" + bit));
            }
        }
        return TraceNumberFormat.hex(word) + bits;
    }
}
