package org.vhostuserrng.cli.trace;

import java.util.Arrays;
import org.vhostuserrng.frontend.FrontendVhostUserConstants;

/** A protocol that {@code trace} decodes: its framing, and the names of its two sides. */
enum TraceProtocol {
    VHOST_USER("vhost-user", FrontendVhostUserConstants.HEADER_SIZE, "front-end", "back-end") {
        @Override
        long payloadSize(byte[] message) {
            return VhostUserTraceHeader.of(message).size();
        }

        @Override
        TraceMessageDecoder newDecoder() {
            return new VhostUserTraceDecoder();
        }
    },

    VFIO_USER("vfio-user", VfioUserTraceHeader.SIZE, "client", "server") {
        @Override
        long payloadSize(byte[] message) {
            return VfioUserTraceHeader.of(message).payloadSize();
        }

        @Override
        TraceMessageDecoder newDecoder() {
            return new VfioUserTraceDecoder();
        }

        @Override
        byte[] withoutGuestMemory(byte[] message) {
            return message.length > VfioUserTraceHeader.SIZE + DMA_ADDRESS_AND_COUNT && isDma(message)
                    ? Arrays.copyOf(message, VfioUserTraceHeader.SIZE + DMA_ADDRESS_AND_COUNT)
                    : message;
        }
    };

    /** Number of bytes at the beginning of a session that identify the protocol. */
    static final int DETECTION_BYTES = 4;

    /** Minimum size of the fields before the data of DMA_READ and DMA_WRITE: QEMU has a u32 count. */
    private static final int DMA_ADDRESS_AND_COUNT = 12;

    private final String displayName;
    private final int headerSize;
    private final String frontEnd;
    private final String backEnd;

    TraceProtocol(String displayName, int headerSize, String frontEnd, String backEnd) {
        this.displayName = displayName;
        this.headerSize = headerSize;
        this.frontEnd = frontEnd;
        this.backEnd = backEnd;
    }

    /**
     * Returns the protocol of a session. vhost-user begins with a message id below 65536, vfio-user with the VERSION
     * command in the upper half of the same word.
     *
     * @param beginning the first bytes of the session; fewer than {@link #DETECTION_BYTES} bytes are taken as
     *     vhost-user
     */
    static TraceProtocol detect(byte[] beginning) {
        return beginning.length >= DETECTION_BYTES
                        && VfioUserTraceHeader.command(beginning) == VfioUserTraceCommand.VERSION.id()
                ? VFIO_USER
                : VHOST_USER;
    }

    private static boolean isDma(byte[] message) {
        int command = VfioUserTraceHeader.of(message).command();
        return command == VfioUserTraceCommand.DMA_READ.id() || command == VfioUserTraceCommand.DMA_WRITE.id();
    }

    /** The name of the protocol, as in its document. */
    String displayName() {
        return displayName;
    }

    /** Size of a message header in bytes. */
    int headerSize() {
        return headerSize;
    }

    /** Size of the payload in bytes, as the header says. The message must contain at least the header. */
    abstract long payloadSize(byte[] message);

    abstract TraceMessageDecoder newDecoder();

    /** Returns the part of a message to print and to record: all except the data of DMA_READ and DMA_WRITE. */
    byte[] withoutGuestMemory(byte[] message) {
        return message;
    }

    /** The name of a side in the protocol's document. */
    String sideName(TraceSide side) {
        return side == TraceSide.FRONT_END ? frontEnd : backEnd;
    }

    /** Text that shows a side as the sender of a message. It has the same length for both sides. */
    String arrow(TraceSide side) {
        int length = Math.max(frontEnd.length(), backEnd.length());
        return side == TraceSide.FRONT_END
                ? frontEnd + " ".repeat(length - frontEnd.length()) + " ->"
                : "<- " + backEnd + " ".repeat(length - backEnd.length());
    }
}
