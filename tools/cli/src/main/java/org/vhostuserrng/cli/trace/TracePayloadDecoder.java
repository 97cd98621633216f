package org.vhostuserrng.cli.trace;

import java.util.HexFormat;
import java.util.function.BiConsumer;
import net.openhft.chronicle.bytes.Bytes;
import org.vhostuserrng.frontend.FrontendVhostUserSpec;

/**
 * How the payload of a message is laid out: the vhost-user document's "Payload", one constant for each meaning of each
 * layout. Numbers are in the byte order of the machine.
 */
@FunctionalInterface
interface TracePayloadDecoder {
    /** Adds what the payload says; false when it is not of this form, whatever was added till then. */
    boolean read(Bytes<byte[]> payload, TraceDecodedFields fields);

    TracePayloadDecoder NONE = sized(0, (payload, fields) -> {});

    // A single 64-bit integer.
    TracePayloadDecoder FEATURES = u64((value, fields) -> fields.add("features", TraceBitNames.virtioFeatures(value)));
    TracePayloadDecoder PROTOCOL_FEATURES =
            u64((value, fields) -> fields.add("protocol-features", TraceBitNames.protocolFeatures(value)));
    TracePayloadDecoder STATUS = u64((value, fields) -> fields.add("status", TraceBitNames.status(value)));
    TracePayloadDecoder QUEUES = u64((value, fields) -> fields.add("queues", TraceNumberFormat.unsigned(value)));
    TracePayloadDecoder SLOTS = u64((value, fields) -> fields.add("slots", TraceNumberFormat.unsigned(value)));
    TracePayloadDecoder SESSION_ID = u64((value, fields) -> fields.add("session-id", value));
    TracePayloadDecoder MTU = u64((value, fields) -> fields.add("mtu", TraceNumberFormat.unsigned(value) + " B"));
    TracePayloadDecoder MAC_ADDRESS = sized(Long.BYTES, TracePayloadDecoder::readMacAddress);
    TracePayloadDecoder VRING_DESCRIPTOR = u64(TracePayloadDecoder::readVringDescriptor);
    TracePayloadDecoder ACKNOWLEDGEMENT = u64(TracePayloadDecoder::readAcknowledgement);
    TracePayloadDecoder DEVICE_STATE_FD = u64(TracePayloadDecoder::readDeviceStateFd);

    // A vring state description.
    TracePayloadDecoder VRING_NUM = vringState((num, fields) -> fields.add("num", num + " descriptors"));
    TracePayloadDecoder VRING_INDEX = vringState((num, fields) -> fields.add("num", num));
    TracePayloadDecoder VRING_ENABLE = vringState((num, fields) -> fields.add("num", num + enabled(num)));
    TracePayloadDecoder VRING_ENDIAN = vringState((num, fields) -> fields.add("num", num + endian(num)));
    TracePayloadDecoder SPLIT_VRING_BASE = vringState((num, fields) -> fields.add("available", num));
    TracePayloadDecoder PACKED_VRING_BASE = vringState(TracePayloadDecoder::readPackedBase);

    TracePayloadDecoder VRING_ADDRESS = sized(40, TracePayloadDecoder::readVringAddress);
    TracePayloadDecoder MEMORY_REGIONS = TraceMemoryRegionDecoder::readTable;
    TracePayloadDecoder MEMORY_REGION = TraceMemoryRegionDecoder::readSingle;
    TracePayloadDecoder LOG = sized(
            16,
            (payload, fields) -> fields.add("log-size", TraceNumberFormat.bytes(payload.readLong()))
                    .add("log-offset", TraceNumberFormat.hex(payload.readLong())));
    TracePayloadDecoder IOTLB = TracePayloadDecoder::readIotlb;
    TracePayloadDecoder CONFIG = TracePayloadDecoder::readConfig;
    TracePayloadDecoder INFLIGHT = TracePayloadDecoder::readInflight;
    TracePayloadDecoder UUID = sized(16, (payload, fields) -> fields.add("uuid", hexBytes(payload, 16)));
    TracePayloadDecoder DEVICE_STATE = sized(8, TracePayloadDecoder::readDeviceState);
    TracePayloadDecoder SHMEM_CONFIG = TracePayloadDecoder::readShmemConfig;

    /** GET_CONFIG answers an error with an empty payload. */
    TracePayloadDecoder FAILED = sized(0, (payload, fields) -> fields.word("failed"));

    /** Whatever it is, as a hex dump: what the document does not lay out. */
    TracePayloadDecoder OPAQUE = (payload, fields) -> {
        HexDump.of(payload.toByteArray()).forEach(fields::line);
        return true;
    };

    private static TracePayloadDecoder sized(int size, BiConsumer<Bytes<byte[]>, TraceDecodedFields> reader) {
        return (payload, fields) -> {
            boolean fits = payload.readRemaining() == size;
            if (fits) {
                reader.accept(payload, fields);
            }
            return fits;
        };
    }

    private static TracePayloadDecoder u64(BiConsumer<Long, TraceDecodedFields> reader) {
        return sized(Long.BYTES, (payload, fields) -> reader.accept(payload.readLong(), fields));
    }

    private static TracePayloadDecoder vringState(BiConsumer<Long, TraceDecodedFields> reader) {
        return sized(2 * Integer.BYTES, (payload, fields) -> {
            fields.add("index", payload.readUnsignedInt());
            reader.accept(payload.readUnsignedInt(), fields);
        });
    }

    private static String hexBytes(Bytes<byte[]> payload, int count) {
        byte[] bytes = new byte[count];
        payload.read(bytes);
        return HexFormat.of().formatHex(bytes);
    }

    private static void readMacAddress(Bytes<byte[]> payload, TraceDecodedFields fields) {
        byte[] bytes = new byte[Long.BYTES];
        payload.read(bytes);
        fields.add("mac", HexFormat.ofDelimiter(":").formatHex(bytes, 0, 6));
    }

    private static void readVringDescriptor(long value, TraceDecodedFields fields) {
        fields.add("index", value & 0xff);
        if ((value & FrontendVhostUserSpec.VRING_NOFD_MASK) != 0) {
            fields.word("NOFD");
        }
        long unknown = value & -(FrontendVhostUserSpec.VRING_NOFD_MASK << 1);
        if (unknown != 0) {
            fields.add("unknown-bits", TraceNumberFormat.hex(unknown));
        }
    }

    private static void readAcknowledgement(long value, TraceDecodedFields fields) {
        fields.word(value == 0 ? "ok" : "failed (" + TraceNumberFormat.unsigned(value) + ")");
    }

    private static void readDeviceStateFd(long value, TraceDecodedFields fields) {
        readAcknowledgement(value & 0xff, fields);
        if ((value & FrontendVhostUserSpec.VRING_NOFD_MASK) != 0) {
            fields.word("NOFD");
        }
    }

    private static String enabled(long num) {
        return num == 0 ? " (disable)" : " (enable)";
    }

    private static String endian(long num) {
        return num == 0 ? " (little-endian)" : " (big-endian)";
    }

    /** Two halves, each an index of 15 bits with the wrap counter above it. */
    private static void readPackedBase(long num, TraceDecodedFields fields) {
        fields.add("available", num & 0x7fff)
                .add("available-wrap", num >> 15 & 1)
                .add("used", num >> 16 & 0x7fff)
                .add("used-wrap", num >> 31 & 1);
    }

    private static void readVringAddress(Bytes<byte[]> payload, TraceDecodedFields fields) {
        fields.add("index", payload.readUnsignedInt())
                .add("flags", TraceBitNames.vringFlags(payload.readUnsignedInt()))
                .add("descriptor", TraceNumberFormat.hex(payload.readLong()))
                .add("used", TraceNumberFormat.hex(payload.readLong()))
                .add("available", TraceNumberFormat.hex(payload.readLong()))
                .add("log", TraceNumberFormat.hex(payload.readLong()));
    }

    /** 26 bytes, or 32 as C lays the structure out. */
    private static boolean readIotlb(Bytes<byte[]> payload, TraceDecodedFields fields) {
        if (payload.readRemaining() != 26 && payload.readRemaining() != 32) {
            return false;
        }
        fields.add("iova", TraceNumberFormat.hex(payload.readLong()))
                .add("size", TraceNumberFormat.bytes(payload.readLong()))
                .add("user-address", TraceNumberFormat.hex(payload.readLong()))
                .add("permissions", permissions(payload.readUnsignedByte()))
                .add("type", iotlbType(payload.readUnsignedByte()));
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

    private static boolean readConfig(Bytes<byte[]> payload, TraceDecodedFields fields) {
        if (payload.readRemaining() < 12) {
            return false;
        }
        fields.add("offset", payload.readUnsignedInt())
                .add("size", payload.readUnsignedInt() + " B")
                .add("flags", configFlags(payload.readUnsignedInt()));
        if (payload.readRemaining() > 0) {
            HexDump.of(payload.toByteArray()).forEach(fields::line);
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

    /** 20 bytes, or 24 as C lays the structure out. */
    private static boolean readInflight(Bytes<byte[]> payload, TraceDecodedFields fields) {
        if (payload.readRemaining() != 20 && payload.readRemaining() != 24) {
            return false;
        }
        fields.add("mmap-size", TraceNumberFormat.bytes(payload.readLong()))
                .add("mmap-offset", TraceNumberFormat.hex(payload.readLong()))
                .add("num-queues", payload.readUnsignedShort())
                .add("queue-size", payload.readUnsignedShort() + " descriptors");
        return true;
    }

    private static void readDeviceState(Bytes<byte[]> payload, TraceDecodedFields fields) {
        long direction = payload.readUnsignedInt();
        long phase = payload.readUnsignedInt();
        fields.add("direction", direction + (direction == 0 ? " (save)" : direction == 1 ? " (load)" : " (unknown)"))
                .add("phase", phase + (phase == 0 ? " (stopped)" : " (unknown)"));
    }

    private static boolean readShmemConfig(Bytes<byte[]> payload, TraceDecodedFields fields) {
        if (payload.readRemaining() < 8 || payload.readRemaining() % Long.BYTES != 0) {
            return false;
        }
        fields.add("regions", payload.readUnsignedInt());
        payload.readSkip(Integer.BYTES);
        for (int id = 0; payload.readRemaining() > 0; id++) {
            long size = payload.readLong();
            if (size != 0) {
                fields.line("shmid " + id + "  size " + TraceNumberFormat.bytes(size));
            }
        }
        return true;
    }
}
