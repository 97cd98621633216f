package org.vhostuserrng.transport.vfiouser.protocol;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/**
 * A client's proposal of a version and of capabilities (vfio-user, VFIO_USER_VERSION).
 *
 * @param minor minor version, unsigned
 * @param writeMultiple whether the client may send VFIO_USER_REGION_WRITE_MULTI
 * @param maxDataXferSize the maximum count of a VFIO_USER_DMA_READ or DMA_WRITE that the client accepts
 */
public record VersionProposal(int minor, boolean writeMultiple, long maxDataXferSize) {
    /** Far more than the capabilities of the document need. */
    static final int MAX_DATA_BYTES = 8192;

    private static final long MAJOR = 0;
    private static final long MINOR = 2;
    private static final int U16_MASK = 0xffff;

    /**
     * Parses the payload of the message. Unknown capabilities are ignored.
     *
     * @throws VfioUserViolationException if the major version is not supported, or the version data is malformed
     */
    public static VersionProposal parse(MemorySegment payload) throws VfioUserViolationException {
        if (payload.byteSize() < VfioUserConstants.VERSION_BYTES) {
            throw new VfioUserViolationException("VERSION with " + payload.byteSize() + " bytes");
        }
        int major = payload.get(ValueLayout.JAVA_SHORT_UNALIGNED, MAJOR) & U16_MASK;
        int minor = payload.get(ValueLayout.JAVA_SHORT_UNALIGNED, MINOR) & U16_MASK;
        // vfio-user, VFIO_USER_VERSION: the major version in the reply must be the same as proposed.
        if (major != VfioUserConstants.VERSION_MAJOR) {
            throw new VfioUserViolationException(
                    "major version " + major + ", expected " + VfioUserConstants.VERSION_MAJOR);
        }
        MemorySegment data = payload.asSlice(VfioUserConstants.VERSION_BYTES);
        Map<?, ?> capabilities = data.byteSize() > 0 ? capabilities(data) : Map.of();
        boolean writeMultiple = proposesWriteMultiple(capabilities);
        return new VersionProposal(minor, writeMultiple, maxDataXferSize(capabilities));
    }

    private static Map<?, ?> capabilities(MemorySegment data) throws VfioUserViolationException {
        if (data.byteSize() > MAX_DATA_BYTES) {
            throw malformed(data.byteSize() + " bytes, expected at most " + MAX_DATA_BYTES);
        }
        byte[] bytes = data.toArray(ValueLayout.JAVA_BYTE);
        int length = bytes.length - 1;
        if (bytes[length] != 0) {
            throw malformed("expected a NUL at the end");
        }
        try {
            String text = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes, 0, length))
                    .toString();
            if (JsonParser.parse(text) instanceof Map<?, ?> top) {
                return member(top, "capabilities");
            }
            throw malformed("expected an object");
        } catch (CharacterCodingException invalid) {
            throw new VfioUserViolationException("malformed version data: expected UTF-8", invalid);
        } catch (InvalidJsonException invalid) {
            throw new VfioUserViolationException("malformed version data: " + invalid.getMessage(), invalid);
        }
    }

    private static boolean proposesWriteMultiple(Map<?, ?> capabilities) throws VfioUserViolationException {
        requireNumber(capabilities, "max_msg_fds");
        requireNumber(capabilities, "max_data_xfer_size");
        requireNumber(capabilities, "max_dma_maps");
        requireNumber(capabilities, "pgsizes");
        requireBoolean(member(capabilities, "twin_socket"), "supported");
        Map<?, ?> migration = member(capabilities, "migration");
        requireNumber(migration, "pgsize");
        requireNumber(migration, "max_bitmap_size");
        return requireBoolean(capabilities, "write_multiple");
    }

    private static long maxDataXferSize(Map<?, ?> capabilities) {
        return capabilities.get("max_data_xfer_size") instanceof Long size
                ? size
                : VfioUserConstants.MAX_DATA_XFER_SIZE;
    }

    /** A member that is an object; an empty object if it is absent. */
    private static Map<?, ?> member(Map<?, ?> object, String name) throws VfioUserViolationException {
        // No pattern switch: its first use delays the other guests while it is linked.
        Object value = object.get(name);
        if (value == null) {
            return Map.of();
        }
        if (value instanceof Map<?, ?> member) {
            return member;
        }
        throw malformed(name + ": expected an object");
    }

    private static void requireNumber(Map<?, ?> object, String name) throws VfioUserViolationException {
        Object value = object.get(name);
        if (value != null && !(value instanceof Long number && number >= 0)) {
            throw malformed(name + ": expected a non-negative integer");
        }
    }

    private static boolean requireBoolean(Map<?, ?> object, String name) throws VfioUserViolationException {
        Object value = object.get(name);
        if (value != null && !(value instanceof Boolean)) {
            throw malformed(name + ": expected a boolean");
        }
        return Boolean.TRUE.equals(value);
    }

    private static VfioUserViolationException malformed(String reason) {
        return new VfioUserViolationException("malformed version data: " + reason);
    }

    /** The minor version of the reply: at most the proposed one. */
    public int acceptedMinor() {
        return Math.min(minor, VfioUserConstants.VERSION_MINOR);
    }

    /**
     * The version data of the reply, with the terminating NUL.
     *
     * @param maxDmaMaps the number of DMA regions that the session can have
     */
    public byte[] acceptedData(int maxDmaMaps) {
        // vfio-user, VFIO_USER_VERSION: the capability list must be a subset of those proposed. The sizes are limits of
        // the sender, and have defaults.
        String capabilities = "{\"capabilities\":{\"max_msg_fds\":" + VfioUserConstants.MAX_MSG_FDS
                + ",\"max_data_xfer_size\":" + VfioUserConstants.MAX_DATA_XFER_SIZE
                + ",\"max_dma_maps\":" + maxDmaMaps
                + ",\"pgsizes\":" + VfioUserConstants.PGSIZES
                + (writeMultiple ? ",\"write_multiple\":true" : "") + "}}\0";
        return capabilities.getBytes(StandardCharsets.US_ASCII);
    }
}
