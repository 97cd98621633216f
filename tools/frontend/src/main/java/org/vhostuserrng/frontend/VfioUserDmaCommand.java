package org.vhostuserrng.frontend;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** A command of a vfio-user server that accesses guest memory. */
public final class VfioUserDmaCommand {
    private final int messageId;
    private final int command;
    private final byte[] payload;

    VfioUserDmaCommand(int messageId, int command, byte[] payload) {
        this.messageId = messageId;
        this.command = command;
        this.payload = payload;
    }

    public int messageId() {
        return messageId;
    }

    /** {@link VfioUserClient#DMA_READ} or {@link VfioUserClient#DMA_WRITE}. */
    public int command() {
        return command;
    }

    public boolean isWrite() {
        return command == VfioUserClient.DMA_WRITE;
    }

    private ByteBuffer fields() {
        return ByteBuffer.wrap(payload).order(ByteOrder.nativeOrder());
    }

    public long address() {
        return fields().getLong(0);
    }

    /** The number of bytes to read or write. */
    public long count() {
        return fields().getLong(8);
    }

    /** The bytes to write. */
    byte[] data() {
        byte[] data = new byte[payload.length - VfioUserClient.DMA_ACCESS_SIZE];
        fields().get(VfioUserClient.DMA_ACCESS_SIZE, data);
        return data;
    }
}
