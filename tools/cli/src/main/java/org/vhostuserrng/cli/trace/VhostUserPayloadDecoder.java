package org.vhostuserrng.cli.trace;

import java.util.HexFormat;
import java.util.function.BiConsumer;
import net.openhft.chronicle.bytes.Bytes;
import org.vhostuserrng.frontend.FrontendVhostUserConstants;

/**
 * Decodes the payload of a message (vhost-user, "Payload"). Each combination of layout and meaning has a constant.
 * Numbers are in native byte order.
 */
@FunctionalInterface
interface VhostUserPayloadDecoder {
    /**
     * Decodes the payload into {@code fields}. Returns false if the payload is invalid; {@code fields} is then
     * unusable.
     */
    boolean decode(Bytes<byte[]> payload, TraceDecodedFields fields);

    VhostUserPayloadDecoder NONE = sized(0, (payload, fields) -> {});

    // Payload "a single 64-bit integer".
    VhostUserPayloadDecoder FEATURES =
            u64((value, fields) -> fields.field("features", TraceBitNames.virtioFeatures(value)));
    VhostUserPayloadDecoder PROTOCOL_FEATURES =
            u64((value, fields) -> fields.field("protocol-features", TraceBitNames.protocolFeatures(value)));
    VhostUserPayloadDecoder STATUS = u64((value, fields) -> fields.field("status", TraceBitNames.status(value)));
    VhostUserPayloadDecoder QUEUES = u64((value, fields) -> fields.field("queues", TraceNumberFormat.unsigned(value)));
    VhostUserPayloadDecoder SLOTS = u64((value, fields) -> fields.field("slots", TraceNumberFormat.unsigned(value)));
    VhostUserPayloadDecoder SESSION_ID = u64((value, fields) -> fields.field("session-id", value));
    VhostUserPayloadDecoder MTU = u64((value, fields) -> fields.field("mtu", TraceNumberFormat.unsigned(value) + " B"));
    VhostUserPayloadDecoder MAC_ADDRESS = sized(Long.BYTES, VhostUserPayloadDecoder::decodeMacAddress);
    VhostUserPayloadDecoder VRING_FD = u64(VhostUserPayloadDecoder::decodeVringFd);
    VhostUserPayloadDecoder ACKNOWLEDGEMENT = u64(VhostUserPayloadDecoder::decodeAcknowledgement);
    VhostUserPayloadDecoder DEVICE_STATE_FD = u64(VhostUserPayloadDecoder::decodeDeviceStateFd);

    // Payload "a vring state description".
    VhostUserPayloadDecoder VRING_NUM = vringState((num, fields) -> fields.field("num", num + " descriptors"));
    VhostUserPayloadDecoder VRING_INDEX = vringState((num, fields) -> fields.field("num", num));
    VhostUserPayloadDecoder VRING_ENABLE = vringState((num, fields) -> fields.field("num", num + enabled(num)));
    VhostUserPayloadDecoder VRING_ENDIAN = vringState((num, fields) -> fields.field("num", num + endian(num)));
    VhostUserPayloadDecoder SPLIT_VRING_BASE = vringState((num, fields) -> fields.field("available", num));
    VhostUserPayloadDecoder PACKED_VRING_BASE = vringState(VhostUserPayloadDecoder::decodePackedBase);

    VhostUserPayloadDecoder VRING_ADDRESS = sized(40, VhostUserPayloadDecoder::decodeVringAddress);
    VhostUserPayloadDecoder MEMORY_REGIONS = TraceMemoryRegionDecoder::decodeTable;
    VhostUserPayloadDecoder MEMORY_REGION = TraceMemoryRegionDecoder::decodeSingle;
    VhostUserPayloadDecoder LOG = sized(
            16,
            (payload, fields) -> fields.field("log-size", TraceNumberFormat.bytes(payload.readLong()))
                    .field("log-offset", TraceNumberFormat.hex(payload.readLong())));
    VhostUserPayloadDecoder IOTLB = VhostUserPayloadDecoder::decodeIotlb;
    VhostUserPayloadDecoder CONFIG = VhostUserPayloadDecoder::decodeConfig;
    VhostUserPayloadDecoder INFLIGHT = VhostUserPayloadDecoder::decodeInflight;
    VhostUserPayloadDecoder UUID = sized(16, (payload, fields) -> fields.field("uuid", hexBytes(payload, 16)));
    VhostUserPayloadDecoder DEVICE_STATE = sized(8, VhostUserPayloadDecoder::decodeDeviceState);
    VhostUserPayloadDecoder SHMEM_CONFIG = VhostUserPayloadDecoder::decodeShmemConfig;

    /** An empty payload of a GET_CONFIG reply, which reports an error. */
    VhostUserPayloadDecoder CONFIG_ERROR = sized(0, (payload, fields) -> fields.value("failed"));

    /** Formats a payload as a hex dump, if the vhost-user document does not define its layout. */
    VhostUserPayloadDecoder HEX_DUMP = (payload, fields) -> {
        HexDump.of(payload.toByteArray()).forEach(fields::detailLine);
        return true;
    };

    private static VhostUserPayloadDecoder sized(int size, BiConsumer<Bytes<byte[]>, TraceDecodedFields> reader) {
        return (payload, fields) -> {
            boolean fits = payload.readRemaining() == size;
            if (fits) {
                reader.accept(payload, fields);
            }
            return fits;
        };
    }

    private static VhostUserPayloadDecoder u64(BiConsumer<Long, TraceDecodedFields> reader) {
        return sized(Long.BYTES, (payload, fields) -> reader.accept(payload.readLong(), fields));
    }

    private static VhostUserPayloadDecoder vringState(BiConsumer<Long, TraceDecodedFields> reader) {
        return sized(2 * Integer.BYTES, (payload, fields) -> {
            fields.field("index", payload.readUnsignedInt());
            reader.accept(payload.readUnsignedInt(), fields);
        });
    }

    private static String hexBytes(Bytes<byte[]> payload, int count) {
        byte[] bytes = new byte[count];
        payload.read(bytes);
        return HexFormat.of().formatHex(bytes);
    }

    private static void decodeMacAddress(Bytes<byte[]> payload, TraceDecodedFields fields) {
        byte[] bytes = new byte[Long.BYTES];
        payload.read(bytes);
        fields.field("mac", HexFormat.ofDelimiter(":").formatHex(bytes, 0, 6));
    }

    private static void decodeVringFd(long value, TraceDecodedFields fields) {
        fields.field("index", value & 0xff);
        if ((value & FrontendVhostUserConstants.VRING_NOFD_MASK) != 0) {
            fields.value("NOFD");
        }
        long unknown = value & -(FrontendVhostUserConstants.VRING_NOFD_MASK << 1);
        if (unknown != 0) {
            fields.field("unknown-bits", TraceNumberFormat.hex(unknown));
        }
    }

    private static void decodeAcknowledgement(long value, TraceDecodedFields fields) {
        fields.value(value == 0 ? "ok" : "failed (" + TraceNumberFormat.unsigned(value) + ")");
    }

    private static void decodeDeviceStateFd(long value, TraceDecodedFields fields) {
        decodeAcknowledgement(value & 0xff, fields);
        if ((value & FrontendVhostUserConstants.VRING_NOFD_MASK) != 0) {
            fields.value("NOFD");
        }
    }

    private static String enabled(long num) {
        return num == 0 ? " (disable)" : " (enable)";
    }

    private static String endian(long num) {
        return num == 0 ? " (little-endian)" : " (big-endian)";
    }

    /**
     * Decodes the vring base of a packed virtqueue: the next available and the next used descriptor, each a 15-bit
     * index with the wrap counter in bit 15.
     */
    private static void decodePackedBase(long num, TraceDecodedFields fields) {
        fields.field("available", num & 0x7fff)
                .field("available-wrap", num >> 15 & 1)
                .field("used", num >> 16 & 0x7fff)
                .field("used-wrap", num >> 31 & 1);
    }

    private static void decodeVringAddress(Bytes<byte[]> payload, TraceDecodedFields fields) {
        fields.field("index", payload.readUnsignedInt())
                .field("flags", TraceBitNames.vringFlags(payload.readUnsignedInt()))
                .field("descriptor", TraceNumberFormat.hex(payload.readLong()))
                .field("used", TraceNumberFormat.hex(payload.readLong()))
                .field("available", TraceNumberFormat.hex(payload.readLong()))
                .field("log", TraceNumberFormat.hex(payload.readLong()));
    }

    /** Decodes an IOTLB message: 26 bytes, or 32 with the padding of the C struct. */
    private static boolean decodeIotlb(Bytes<byte[]> payload, TraceDecodedFields fields) {
        if (payload.readRemaining() != 26 && payload.readRemaining() != 32) {
            return false;
        }
        fields.field("iova", TraceNumberFormat.hex(payload.readLong()))
                .field("size", TraceNumberFormat.bytes(payload.readLong()))
                .field("user-address", TraceNumberFormat.hex(payload.readLong()))
                .field("permissions", permissions(payload.readUnsignedByte()))
                .field("type", iotlbType(payload.readUnsignedByte()));
        return true;
    }

    private static String permissions(int value) {
        return switch (value) {
            case 0 -> "0 (no access)";
            case 1 -> "1 (read)";
            case 2 -> "2 (write)";
            case 3 -> "3 (read/write)";
            default -> value + " (unknown)";
        };
    }

    private static String iotlbType(int value) {
        return switch (value) {
            case 1 -> "1 (miss)";
            case 2 -> "2 (update)";
            case 3 -> "3 (invalidate)";
            case 4 -> "4 (access fail)";
            default -> value + " (unknown)";
        };
    }

    private static boolean decodeConfig(Bytes<byte[]> payload, TraceDecodedFields fields) {
        if (payload.readRemaining() < 12) {
            return false;
        }
        fields.field("offset", payload.readUnsignedInt())
                .field("size", payload.readUnsignedInt() + " B")
                .field("flags", configFlags(payload.readUnsignedInt()));
        if (payload.readRemaining() > 0) {
            HexDump.of(payload.toByteArray()).forEach(fields::detailLine);
        }
        return true;
    }

    private static String configFlags(long value) {
        return switch ((int) value) {
            case 0 -> "0 (writable fields)";
            case 1 -> "1 (live migration)";
            default -> value + " (unknown)";
        };
    }

    /** Decodes an inflight description: 20 bytes, or 24 with the padding of the C struct. */
    private static boolean decodeInflight(Bytes<byte[]> payload, TraceDecodedFields fields) {
        if (payload.readRemaining() != 20 && payload.readRemaining() != 24) {
            return false;
        }
        fields.field("mmap-size", TraceNumberFormat.bytes(payload.readLong()))
                .field("mmap-offset", TraceNumberFormat.hex(payload.readLong()))
                .field("num-queues", payload.readUnsignedShort())
                .field("queue-size", payload.readUnsignedShort() + " descriptors");
        return true;
    }

    private static void decodeDeviceState(Bytes<byte[]> payload, TraceDecodedFields fields) {
        long direction = payload.readUnsignedInt();
        long phase = payload.readUnsignedInt();
        fields.field("direction", direction + (direction == 0 ? " (save)" : direction == 1 ? " (load)" : " (unknown)"))
                .field("phase", phase + (phase == 0 ? " (stopped)" : " (unknown)"));
    }

    private static boolean decodeShmemConfig(Bytes<byte[]> payload, TraceDecodedFields fields) {
        if (payload.readRemaining() < 8 || payload.readRemaining() % Long.BYTES != 0) {
            return false;
        }
        fields.field("regions", payload.readUnsignedInt());
        payload.readSkip(Integer.BYTES);
        for (int id = 0; payload.readRemaining() > 0; id++) {
            long size = payload.readLong();
            if (size != 0) {
                fields.detailLine("shmid " + id + "  size " + TraceNumberFormat.bytes(size));
            }
        }
        return true;
    }
}
