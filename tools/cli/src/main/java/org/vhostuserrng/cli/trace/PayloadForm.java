package org.vhostuserrng.cli.trace;

import java.util.HexFormat;
import java.util.function.BiConsumer;
import net.openhft.chronicle.bytes.Bytes;
import org.vhostuserrng.frontend.VhostUser;

/**
 * How the payload of a message is laid out: the vhost-user document's "Payload", one constant for each meaning of each
 * layout. Numbers are in the byte order of the machine.
 */
@FunctionalInterface
interface PayloadForm {
    /** Adds what the payload says; false when it is not of this form, whatever was added till then. */
    boolean read(Bytes<byte[]> payload, Fields fields);

    PayloadForm NONE = sized(0, (payload, fields) -> {});

    // A single 64-bit integer.
    PayloadForm FEATURES = u64((value, fields) -> fields.add("features", BitNames.virtioFeatures(value)));
    PayloadForm PROTOCOL_FEATURES =
            u64((value, fields) -> fields.add("protocol-features", BitNames.protocolFeatures(value)));
    PayloadForm STATUS = u64((value, fields) -> fields.add("status", BitNames.status(value)));
    PayloadForm QUEUES = u64((value, fields) -> fields.add("queues", Quantity.unsigned(value)));
    PayloadForm SLOTS = u64((value, fields) -> fields.add("slots", Quantity.unsigned(value)));
    PayloadForm SESSION_ID = u64((value, fields) -> fields.add("session-id", value));
    PayloadForm MTU = u64((value, fields) -> fields.add("mtu", Quantity.unsigned(value) + " B"));
    PayloadForm MAC_ADDRESS = sized(Long.BYTES, PayloadForm::readMacAddress);
    PayloadForm VRING_DESCRIPTOR = u64(PayloadForm::readVringDescriptor);
    PayloadForm ACKNOWLEDGEMENT = u64(PayloadForm::readAcknowledgement);
    PayloadForm DEVICE_STATE_FD = u64(PayloadForm::readDeviceStateFd);

    // A vring state description.
    PayloadForm VRING_NUM = vringState((num, fields) -> fields.add("num", num + " descriptors"));
    PayloadForm VRING_INDEX = vringState((num, fields) -> fields.add("num", num));
    PayloadForm VRING_ENABLE = vringState((num, fields) -> fields.add("num", num + enabled(num)));
    PayloadForm VRING_ENDIAN = vringState((num, fields) -> fields.add("num", num + endian(num)));
    PayloadForm SPLIT_VRING_BASE = vringState((num, fields) -> fields.add("available", num));
    PayloadForm PACKED_VRING_BASE = vringState(PayloadForm::readPackedBase);

    PayloadForm VRING_ADDRESS = sized(40, PayloadForm::readVringAddress);
    PayloadForm MEMORY_REGIONS = MemoryRegions::readTable;
    PayloadForm MEMORY_REGION = MemoryRegions::readSingle;
    PayloadForm LOG = sized(
            16,
            (payload, fields) -> fields.add("log-size", Quantity.bytes(payload.readLong()))
                    .add("log-offset", Quantity.hex(payload.readLong())));
    PayloadForm IOTLB = PayloadForm::readIotlb;
    PayloadForm CONFIG = PayloadForm::readConfig;
    PayloadForm INFLIGHT = PayloadForm::readInflight;
    PayloadForm UUID = sized(16, (payload, fields) -> fields.add("uuid", hexBytes(payload, 16)));
    PayloadForm DEVICE_STATE = sized(8, PayloadForm::readDeviceState);
    PayloadForm SHMEM_CONFIG = PayloadForm::readShmemConfig;

    /** GET_CONFIG answers an error with an empty payload. */
    PayloadForm FAILED = sized(0, (payload, fields) -> fields.word("failed"));

    /** Whatever it is, as a hex dump: what the document does not lay out. */
    PayloadForm OPAQUE = (payload, fields) -> {
        HexDump.of(payload.toByteArray()).forEach(fields::line);
        return true;
    };

    private static PayloadForm sized(int size, BiConsumer<Bytes<byte[]>, Fields> reader) {
        return (payload, fields) -> {
            boolean fits = payload.readRemaining() == size;
            if (fits) {
                reader.accept(payload, fields);
            }
            return fits;
        };
    }

    private static PayloadForm u64(BiConsumer<Long, Fields> reader) {
        return sized(Long.BYTES, (payload, fields) -> reader.accept(payload.readLong(), fields));
    }

    private static PayloadForm vringState(BiConsumer<Long, Fields> reader) {
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

    private static void readMacAddress(Bytes<byte[]> payload, Fields fields) {
        byte[] bytes = new byte[Long.BYTES];
        payload.read(bytes);
        fields.add("mac", HexFormat.ofDelimiter(":").formatHex(bytes, 0, 6));
    }

    private static void readVringDescriptor(long value, Fields fields) {
        fields.add("index", value & 0xff);
        if ((value & VhostUser.VRING_NOFD_MASK) != 0) {
            fields.word("NOFD");
        }
        long unknown = value & -(VhostUser.VRING_NOFD_MASK << 1);
        if (unknown != 0) {
            fields.add("unknown-bits", Quantity.hex(unknown));
        }
    }

    private static void readAcknowledgement(long value, Fields fields) {
        fields.word(value == 0 ? "ok" : "failed (" + Quantity.unsigned(value) + ")");
    }

    private static void readDeviceStateFd(long value, Fields fields) {
        readAcknowledgement(value & 0xff, fields);
        if ((value & VhostUser.VRING_NOFD_MASK) != 0) {
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
    private static void readPackedBase(long num, Fields fields) {
        fields.add("available", num & 0x7fff)
                .add("available-wrap", num >> 15 & 1)
                .add("used", num >> 16 & 0x7fff)
                .add("used-wrap", num >> 31 & 1);
    }

    private static void readVringAddress(Bytes<byte[]> payload, Fields fields) {
        fields.add("index", payload.readUnsignedInt())
                .add("flags", BitNames.vringFlags(payload.readUnsignedInt()))
                .add("descriptor", Quantity.hex(payload.readLong()))
                .add("used", Quantity.hex(payload.readLong()))
                .add("available", Quantity.hex(payload.readLong()))
                .add("log", Quantity.hex(payload.readLong()));
    }

    /** 26 bytes, or 32 as C lays the structure out. */
    private static boolean readIotlb(Bytes<byte[]> payload, Fields fields) {
        if (payload.readRemaining() != 26 && payload.readRemaining() != 32) {
            return false;
        }
        fields.add("iova", Quantity.hex(payload.readLong()))
                .add("size", Quantity.bytes(payload.readLong()))
                .add("user-address", Quantity.hex(payload.readLong()))
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

    private static boolean readConfig(Bytes<byte[]> payload, Fields fields) {
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
    private static boolean readInflight(Bytes<byte[]> payload, Fields fields) {
        if (payload.readRemaining() != 20 && payload.readRemaining() != 24) {
            return false;
        }
        fields.add("mmap-size", Quantity.bytes(payload.readLong()))
                .add("mmap-offset", Quantity.hex(payload.readLong()))
                .add("num-queues", payload.readUnsignedShort())
                .add("queue-size", payload.readUnsignedShort() + " descriptors");
        return true;
    }

    private static void readDeviceState(Bytes<byte[]> payload, Fields fields) {
        long direction = payload.readUnsignedInt();
        long phase = payload.readUnsignedInt();
        fields.add("direction", direction + (direction == 0 ? " (save)" : direction == 1 ? " (load)" : " (unknown)"))
                .add("phase", phase + (phase == 0 ? " (stopped)" : " (unknown)"));
    }

    private static boolean readShmemConfig(Bytes<byte[]> payload, Fields fields) {
        if (payload.readRemaining() < 8 || payload.readRemaining() % Long.BYTES != 0) {
            return false;
        }
        fields.add("regions", payload.readUnsignedInt());
        payload.readSkip(Integer.BYTES);
        for (int id = 0; payload.readRemaining() > 0; id++) {
            long size = payload.readLong();
            if (size != 0) {
                fields.line("shmid " + id + "  size " + Quantity.bytes(size));
            }
        }
        return true;
    }
}
